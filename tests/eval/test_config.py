from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.config import with_config
from axolotl_alttrain.eval.prompts.sets import chosen
from axolotl_alttrain.eval.run import main, parser

from axolotl_alttrain.errors import AltTrainError

from ..conftest import ROOT

EXAMPLE = ROOT / "examples" / "eval-8b.yml"


def test_the_example() -> None:
    args = with_config(parser(), [str(EXAMPLE)])
    assert args.adapter == "outputs/alttrain-8b"
    assert args.attacks == ["none", "role-play", "prefilled-thought"]
    assert (args.limit, args.max_new_tokens, args.temperature) == (500, 1024, 0.0)
    assert args.judges == ["guard", "refusal"]
    assert args.guard_load_in_4bit is True
    assert args.allow_code_execution is False
    assert args.out == Path("outputs/eval-8b")
    assert "strongreject" in chosen(args.sets, args.suite)


def test_the_command_line_wins() -> None:
    args = with_config(parser(), ["--judges", "refusal", "--limit", "8", str(EXAMPLE), "--suite", "safety"])
    # An option that takes several values swallows what follows; here --limit stands between.
    assert (args.judges, args.limit, args.suite) == (["refusal"], 8, "safety")


@pytest.mark.parametrize("name", ["./e.yml", ".//e.yml", "../{}/e.yml"])
def test_a_path_may_be_written_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "e.yml").write_text("limit: 3\n")
    monkeypatch.chdir(tmp_path)
    args = with_config(parser(), [name.format(tmp_path.name), "--seed", "5"])
    assert (args.limit, args.seed) == (3, 5)


def test_an_option_may_have_the_files_own_name(tmp_path: Path) -> None:
    path = tmp_path / "e.yml"
    path.write_text("limit: 3\njudges: [refusal]\n")
    args = with_config(parser(), ["--tokenizer", str(path), str(path)])
    assert (args.limit, args.tokenizer) == (3, str(path))


def test_values_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "e.yml"
    path.write_text(
        "load-in-4bit: false\nguard_template_args: {guideline: '\"No\" harm'}\nsets: xstest-safe\nadapter: -odd\n"
        "judge_thoughts: true\nlimit: null\nattacks: []\n"
    )
    args = with_config(parser(), [str(path)])
    assert args.load_in_4bit is False
    assert args.guard_template_args == '{"guideline": "\\"No\\" harm"}'
    assert (args.sets, args.adapter, args.judge_thoughts, args.limit) == (["xstest-safe"], "-odd", True, None)
    assert args.attacks is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("suit: paper", "field 'suit': found an unknown name; allowed: 'suite'"),
        ("list: true", "field 'list': found an unknown name"),
        ("limit: [1, 2]", "field 'limit': found list [1, 2]; allowed: one value"),
        (
            "guard_unsafe: [Yes]",
            "field 'guard_unsafe': found list [True]; allowed: texts, with quotes around words like",
        ),
        ("guard_safe: [~]", "field 'guard_safe': found list [None]; allowed: texts"),
        ("limit: true", "field 'limit': found bool True; allowed: a value"),
        ("load_in_4bit: 4", "field 'load_in_4bit': found int 4; allowed: true or false"),
        ("- a", "allowed: a mapping of flags to values"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.yml"
    path.write_text(content)
    with pytest.raises(AltTrainError, match=r"e\.yml") as caught:
        with_config(parser(), [str(path)])
    assert message in str(caught.value)
    assert main([str(path)]) == 1
    assert message in capsys.readouterr().err
