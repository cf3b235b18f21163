"""Both modes of a hybrid model, measured on a real, tiny one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.run import main

RUNS = ["base", "tuned", "base-off", "tuned-off"]
OF_THOUGHT = ["structure", "verdict_accuracy", "recognised_but_complied", "unrecognised", "recognised_complied"]
OF_THOUGHT += ["over_assessment"]


@pytest.fixture(scope="session")
def hybrid(
    tiny: tuple[Path, Path], smollm2: Any, template: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The tiny model, and its adapter with Qwen3's template, as a training in both modes leaves it."""
    base, adapter = tiny
    trained = tmp_path_factory.mktemp("hybrid") / "adapter"
    shutil.copytree(adapter, trained)
    own = smollm2.chat_template
    smollm2.chat_template = template("trl_qwen3")
    smollm2.save_pretrained(trained)
    smollm2.chat_template = own
    config = json.loads((base / "config.json").read_text())
    (trained / "config.json").write_text(json.dumps(config | {"alttrain": {"thinking": "both"}}))
    return base, trained


def evaluate(hybrid: tuple[Path, Path], out: Path, *more: str) -> int:
    flags = ["--model", str(hybrid[0]), "--adapter", str(hybrid[1]), "--limit", "2", "--max-new-tokens", "6"]
    return main([*flags, "--dtype", "float32", *more, "--out", str(out)])


@pytest.fixture(scope="module")
def both(hybrid: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("both")
    attacks = ["--attacks", "none", "role-play", "prefilled-thought"]
    assert evaluate(hybrid, out, *attacks) == 0  # both by default: both were trained
    return out


def summary_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "summary.json").read_text())


def test_what_was_trained_is_measured_and_paired(both: Path) -> None:
    summary = summary_of(both)
    assert list(summary["runs"]) == RUNS
    assert summary["thinking"] == {"base": "on", "tuned": "on", "base-off": "off", "tuned-off": "off"}
    pairs = [(pair["first"], pair["second"]) for pair in summary["modes"]]
    assert pairs == [("base", "base-off"), ("tuned", "tuned-off"), ("base-off", "tuned-off")]
    tested = {name: test["pairs"] for name, test in summary["modes"][1]["metrics"].items()}
    assert (tested["harmful_response"], tested["over_refusal"], tested["capability"]) == (4, 2, 2)
    assert tested["attack_success"] == 4  # role-play; a prefilled thought is asked with thinking on alone
    assert summary["comparison"]["attack_success"]["pairs"] == 8
    assert {tested[name] for name in OF_THOUGHT} == {0}
    assert summary["modes"][1]["metrics"]["harmful_response"]["test"] == "mcnemar"
    both_asked = [rate["total"] for rate in summary["modes"][1]["rates"]["attack_success"]]
    assert both_asked == [4, 4]


def test_rates_of_the_thought_do_not_apply_without_one(both: Path) -> None:
    runs = summary_of(both)["runs"]
    for name in OF_THOUGHT:
        assert runs["tuned"]["metrics"][name]["total"] > 0
        assert runs["tuned-off"]["metrics"][name]["total"] == 0
    rows = [json.loads(line) for line in (both / "scored.jsonl").read_text().splitlines()]
    assert not any(set(OF_THOUGHT) & set(row["metrics"]) for row in rows if row["run"].endswith("-off"))
    results = (both / "results.md").read_text()
    (line,) = [line for line in results.splitlines() if line.startswith("| structure followed | higher")]
    assert line.count("not applicable") == 2


def test_attacks_on_the_thought_are_named_as_missing_without_one(both: Path) -> None:
    reason = "it writes the thought, and with thinking off there is none"
    names = [f"{name}+prefilled-thought (thinking off)" for name in ("probe-harmful", "probe-contrast")]
    assert summary_of(both)["missing"] == dict.fromkeys(names, reason)
    assert summary_of(both)["switched_off"] == names


def test_everything_shows_both_modes(both: Path) -> None:
    for file in ("results.md", "model-card.md", "report.html"):
        text = (both / file).read_text()
        assert "tuned-off against tuned, thinking off against on" in text
        assert "tuned-off against base-off, thinking off" in text
        assert "Thinking off, same weights:" in text


def test_a_second_run_resumes_and_one_mode_takes_its_samples(
    hybrid: tuple[Path, Path], both: Path, tmp_path: Path
) -> None:
    shutil.copytree(both, tmp_path / "out")
    lines = (both / "samples.jsonl").read_text()
    keys = [json.loads(line)["key"] for line in lines.splitlines()]
    assert len(set(keys)) == len(keys) == 56  # 2 runs of 16 prompts with thinking, 2 of 12 without
    assert evaluate(hybrid, tmp_path / "out", "--thinking", "off") == 0
    assert (tmp_path / "out" / "samples.jsonl").read_text() == lines
    summary = summary_of(tmp_path / "out")
    assert (list(summary["runs"]), summary["thinking"]) == (["base", "tuned"], {"base": "off", "tuned": "off"})
    assert "modes" not in summary
    assert summary["runs"]["tuned"]["by_set"] == {
        name: result for name, result in summary_of(both)["runs"]["tuned-off"]["by_set"].items()
    }
    assert "with thinking off" in (tmp_path / "out" / "results.md").read_text()


def test_compare_pairs_the_modes_of_one_folder(both: Path, tmp_path: Path) -> None:
    assert main(["compare", str(both), "--reference", f"{both.name}:tuned", "--out", str(tmp_path)]) == 0
    pairs = {pair["second"]: pair for pair in json.loads((tmp_path / "compare.json").read_text())["pairs"]}
    assert pairs[f"{both.name}:tuned-off"]["also_differing"]["thinking"] == ["on", "off"]
    own = {pair["second"]: pair for pair in summary_of(both)["modes"][:2]}
    found = pairs[f"{both.name}:tuned-off"]["metrics"]["harmful_response"]
    assert found["p_value"] == own["tuned-off"]["metrics"]["harmful_response"]["p_value"]


def test_a_template_without_a_switch_is_one_sentence(
    tiny: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(tiny, tmp_path, "--thinking", "both") == 1
    assert capsys.readouterr().err.endswith(
        f"\neval.run: --thinking both: the chat template of {tiny[1]} has no non-thinking mode: it has no variable "
        "that turns thinking off; use --thinking on\n"
    )
