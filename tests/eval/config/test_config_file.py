from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.config.command_line import parse
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.errors import AltTrainError

from ...conftest import ROOT

EXAMPLE = ROOT / "examples" / "eval-8b.yml"


@pytest.fixture(autouse=True)
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's adapter need not exist: without a folder it is a Hub ID."""
    monkeypatch.chdir(tmp_path)


def test_the_example() -> None:
    config = parse([str(EXAMPLE)])
    assert config.weights.adapter == "outputs/alttrain-8b"
    assert config.prompts.attacks == ("none", "role-play", "prefilled-thought")
    assert config.prompts.limit == 500
    assert (config.decoding.max_new_tokens, config.decoding.temperature) == (1024, 0.0)
    assert config.judging.judges == ("llama-guard-3", "refusal")
    assert config.judging.guard_load_in_4bit is True
    assert config.prompts.allow_code_execution is False
    assert config.output.out == Path("outputs/eval-8b")
    assert "strongreject" in config.prompts.names
    assert config.file == EXAMPLE


def test_the_command_line_wins() -> None:
    config = parse(["--judges", "refusal", "--limit", "8", str(EXAMPLE), "--suite", "safety"])
    # An option that takes several values swallows what follows; here --limit stands between.
    assert (config.judging.judges, config.prompts.limit, config.prompts.suite) == (("refusal",), 8, "safety")


def test_a_command_line_of_defaults_wins_too(tmp_path: Path) -> None:
    (tmp_path / "e.yml").write_text("limit: 3\ntemperature: 1\nsamples: 4\njudge_thoughts: false\n")
    config = parse(["e.yml", "--temperature", "0", "--samples", "1", "--judge-thoughts"])
    assert (config.decoding.temperature, config.decoding.samples, config.judging.judge_thoughts) == (0.0, 1, True)


@pytest.mark.parametrize("name", ["./e.yml", ".//e.yml", "../{}/e.yml"])
def test_a_path_may_be_written_in_any_way(tmp_path: Path, name: str) -> None:
    (tmp_path / "e.yml").write_text("limit: 3\n")
    config = parse([name.format(tmp_path.name), "--seed", "5"])
    assert (config.prompts.limit, config.decoding.seed) == (3, 5)


def test_an_option_may_have_the_files_own_name(tmp_path: Path) -> None:
    (tmp_path / "e.yml").write_text("limit: 3\njudges: [refusal]\n")
    config = parse(["--api-key-env", "e.yml", "--backend", "api", "--model", "m", "e.yml"])
    assert (config.prompts.limit, config.backend.api_key_env) == (3, "e.yml")


def test_values_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "e.yml").write_text(
        "load-in-4bit: false\nsets: xstest-safe\nadapter: -odd\n"
        "judge_thoughts: true\nlimit: null\nattacks: []\nmodel: 8\ntemperature: 1\njudges: [wildguard, 1]\n"
    )
    config = parse(["e.yml"])
    assert config.weights.load_in_4bit is False
    assert (config.prompts.sets, config.prompts.limit, config.prompts.attacks) == (("xstest-safe",), None, None)
    assert (config.weights.adapter, config.weights.model) == ("-odd", "8")
    assert (config.decoding.temperature, config.judging.judges) == (1.0, ("wildguard", "1"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("suit: paper", "field 'suit' is unknown; did you mean 'suite'?"),
        ("zzz: 1", "field 'zzz' is unknown; python -m eval.run --help-all lists the names"),
        ("list: true", "field 'list' is unknown; "),
        ("config: e.yml", "field 'config' is unknown; "),
        ("limit: [1, 2]", "field 'limit': must be a single value, found list [1, 2]"),
        ("limit: 0", "field 'limit': must be 1 or more, found 0"),
        ("limit: many", "field 'limit': must be an integer, found many"),
        ("max-new-tokens: 1.5", "field 'max-new-tokens': must be an integer, found 1.5"),
        ("dtype: int8", "field 'dtype': found int8; allowed: auto, float32, bfloat16 or float16"),
        (
            "judges: [Yes]",
            "field 'judges': must be a list of strings, found list [True]; quote words like 'No'",
        ),
        ("judges: [~]", "field 'judges': must be a list of strings, found list [None]; quote words like 'No'"),
        ("sets: [[a]]", "field 'sets': must be a flat list, found list [['a']]"),
        ("limit: true", "field 'limit': must be text or a number, found bool True"),
        ("load_in_4bit: 4", "field 'load_in_4bit': must be true or false, found int 4"),
    ],
)
def test_a_mistake_names_file_and_field(
    tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.yml").write_text(content)
    assert main(["e.yml"]) == 1
    out, error = capsys.readouterr()
    assert (out, len(error.splitlines())) == ("", 1)
    assert error.startswith(f"eval.run: e.yml: {message}")


def test_a_flag_in_place_of_a_mistaken_field_is_named_as_a_flag(tmp_path: Path) -> None:
    (tmp_path / "e.yml").write_text("limit: 0\n")
    with pytest.raises(AltTrainError, match=r"^--limit: must be 1 or more, found -1$"):
        parse(["e.yml", "--limit=-1"])
    assert parse(["e.yml", "--limit", "1"]).prompts.limit == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [("- a", "write a mapping of flags to values"), ("a: [", "cannot be read as YAML")],
)
def test_a_file_of_another_form(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "e.yml").write_text(content)
    with pytest.raises(AltTrainError, match=rf"e\.yml: .*{message}"):
        parse(["e.yml"])
