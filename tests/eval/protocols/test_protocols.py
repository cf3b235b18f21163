"""Protocols of papers as data, and as flags of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.config.command_line import parse
from axolotl_alttrain.eval.config.groups import FLAGS
from axolotl_alttrain.eval.prompts.sets import set_names, suites
from axolotl_alttrain.eval.protocols import PROTOCOLS, protocol_named, protocols

from axolotl_alttrain.errors import AltTrainError

FIELDS = {"attacks", "judges", "judge_part", "temperature", "top_p", "samples", "max_new_tokens"}


def test_every_protocol_states_or_leaves_open_every_flag_with_a_source() -> None:
    assert list(protocols()) == ["alttrain", "ipo", "safechain", "star-1", "thinksafe"]
    for name, protocol in protocols().items():
        assert set(protocol.flags) - {"sets", "suite"} == FIELDS, name
        assert set(protocol.flags) <= set(FLAGS), name
        assert all(setting.source for setting in protocol.flags.values()), name
        assert (PROTOCOLS / f"{name}.yml").read_text().count(": unknown") >= len(protocol.unknown), name
        for row in protocol.published.backbones if protocol.published else ():
            for result in row.results:
                assert set(result.sets) <= set(set_names()), name


def test_what_is_unknown_is_marked() -> None:
    assert {name: protocol.unknown for name, protocol in protocols().items() if protocol.unknown} == {
        "alttrain": ["judges", "judge_part", "temperature", "top_p", "samples", "max_new_tokens"],
        "ipo": ["attacks", "judges", "temperature", "top_p", "samples", "max_new_tokens"],
    }
    assert [name for name, one in protocols().items() if one.published is None] == ["safechain", "star-1"]


def test_thinksafe_is_its_papers_protocol() -> None:
    config = parse(["--protocol", "thinksafe", "--limit", "3"])
    assert config.prompts.names == ["harmbench-thinksafe", "strongreject", "wildjailbreak-eval", "xstest-safe"]
    assert (config.prompts.limit, config.prompts.attacks) == (3, None)
    sampling = {"max_new_tokens": 16384, "temperature": 0.6, "top_p": 0.95, "seed": 0, "max_thought_tokens": None}
    assert vars(config.decoding.sampling) == sampling
    assert (config.judging.judges, config.judging.judge_part) == (("llama-guard-3", "wildguard"), "completion")
    assert config.decoding.samples == 1


def test_open_flags_stay_as_given() -> None:
    config = parse(["--protocol", "alttrain", "--temperature", "0.7", "--judges", "wildguard"])
    assert config.prompts.names == suites()["paper"].sets
    assert (config.decoding.temperature, config.decoding.max_new_tokens) == (0.7, 256)


@pytest.mark.parametrize("same", [["--temperature", "0.60"], ["--attacks", "none"], ["--top-p", "0.95"]])
def test_a_flag_with_the_papers_own_value_is_no_contradiction(same: list[str]) -> None:
    assert parse(["--protocol", "thinksafe", *same]).decoding.temperature == 0.6


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["none-such"], "--protocol: found none-such; allowed: alttrain, ipo, safechain, star-1, thinksafe"),
        (
            ["safechain", "--temperature", "0.7"],
            "--temperature 0.7 contradicts --protocol safechain, which has 0 (config.py); remove one of the two",
        ),
        (
            ["safechain", "--suite", "probe"],
            "--suite probe contradicts --protocol safechain, which has strongreject wildjailbreak (config.py, utils.py:"
            " StrongREJECT, and UWNSL/WildJailbreakEval with 250 prompts); remove one of the two",
        ),
        (
            ["safechain", "--attacks", "role-play"],
            '--attacks role-play contradicts --protocol safechain, which has none (resp_gen.py, prompt "normal"); '
            "remove one of the two",
        ),
        (["star-1"], "--judges xstest needs --judge-model, the name of a model on the judges' server"),
    ],
)
def test_contradictions_are_refused_in_one_line(flags: list[str], said: str) -> None:
    with pytest.raises(AltTrainError) as error:
        parse(["--protocol", *flags])
    assert str(error.value) == said


def test_a_contradiction_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "e.yml"
    path.write_text("protocol: safechain\nsamples: 4\n")
    with pytest.raises(AltTrainError, match=r"e\.yml: field 'samples' 4 contradicts --protocol safechain"):
        parse([str(path)])


def test_thinksafes_rows_are_shares_of_the_sets_here() -> None:
    published = protocol_named("thinksafe").published
    assert published
    names = [backbone.name for backbone in published.backbones]
    assert names == ["Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B", "R1-1.5B", "R1-7B", "R1-8B"]
    assert {len(backbone.results) for backbone in published.backbones} == {7}
    # All but one row are shares of 602, 313 and 2,000 prompts, the sizes of the sets here.
    odd = {
        (backbone.name, row.training)
        for backbone in published.backbones
        for row in backbone.results
        for value, size in zip(row.sets.values(), (602, 313, 2000), strict=True)
        if abs(value - 100 * round(value * size / 100) / size) > 0.006
    }
    assert odd == {("Qwen3-8B", "SafeChain")}
