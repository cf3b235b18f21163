"""The commands that the documentation shows: programs, flags and files exist; tests run them, or they need a GPU."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.cli.evaluation_commands import EvaluatorCommand
from axolotl_alttrain.errors import EXIT_CODES
from tests.conftest import ROOT

from .test_site import table

# walkthrough.md is not among them: `make walkthrough` runs its commands.
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "eval" / "README.md", ROOT / "examples" / "README.md"]
PAGES = sorted({path for path in PAGES if path.name not in ("walkthrough.md", "CHANGELOG.md")})
FENCE = re.compile(r"^( *)```(?:bash|sh)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# Where each command of ours is run for real.
RUN_BY = {
    "preview": "tests/cli/preview", "doctor": "tests/cli/test_doctor.py", "fit": "tests/cli/test_fit_command.py",
    "build": "tests/data/test_end_to_end.py", "data-card": "tests/data/output", "traces": "tests/data/traces",
    "export": "tests/export/test_export.py", "evaluate": "tests/eval/test_run.py",
    "import": "tests/eval/completions", "compare": "tests/eval/compare", "card": "tests/eval/report/card",
    "check-export": "tests/export_check/test_check.py",
}  # fmt: skip
# Programs of others. Those of the second line need a GPU, a cluster, a hub or a daemon.
OTHERS = {"source", "echo", "mkdir", "cp", "cd", "git", "export", "pip", "tensorboard", "diff", "pre-commit"}
ELSEWHERE = {"hf", "vllm", "vllm-router", "docker", "ray", "sbatch", "sky", "garak", "transformers", "torchrun", "ssh"}
ELSEWHERE |= {"rsync", "sglang", "convert_hf_to_gguf", "llama-server", "ollama"}


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command on a page, comments left out."""
    for _, block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            line = re.sub(r"(^|\s)#.*|\s>>?\s*\S+", "", line)
            inner = re.findall(r"\$\((\w[^()]*)\)", line)
            for part in [*inner, *re.split(r" && | \| |; ", re.sub(r"\$\([^()]*\)", "X", line))]:
                words = shlex.split(part)
                while words and re.fullmatch(r"\w+=.*", words[0]):
                    words = words[1:]
                if words:
                    yield words


def check(words: list[str]) -> None:
    """Raise if there is no such program, command, flag or file."""
    program, rest = re.sub(r"^\.venv[\w-]*/bin/", "", words[0]), words[1:]
    if program == "python" and rest[:2] in (["-m", "eval.run"], ["-m", "axolotl_alttrain.eval.run"]):
        name = rest[2] if rest[2:3] and rest[2] in ("import", "compare", "card") else "evaluate"
        check(["axolotl", "alttrain", name, *rest[2 if name == "evaluate" else 3 :]])
    elif program == "axolotl" and rest[:1] == ["alttrain"]:
        name, arguments = rest[1], rest[2:]
        assert name in RUN_BY, f"axolotl alttrain has no command {name}"
        command = alttrain.commands[name]
        if isinstance(command, EvaluatorCommand):
            command.parser().parse_args(arguments)
        else:
            command.make_context(name, arguments)
    elif program == "axolotl":
        assert not rest or rest[0] in ("train", "preprocess", "merge-lora"), rest
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in rest if "=" not in word} <= set(targets), rest
    elif program == "python":
        module = rest[1] if rest[0] == "-m" else rest[0]
        if module.partition(".")[0] not in ELSEWHERE:
            assert find_spec(module) if rest[0] == "-m" else (ROOT / module).is_file(), rest
    elif program.startswith("."):
        assert (ROOT / program).is_file(), program
    else:
        assert program in OTHERS | ELSEWHERE, f"unknown program {program}"
    for word in words:
        if re.match(r"(examples|benchmarks|docker|docs|eval|tests|\.ci)/", word):
            assert (ROOT / word).exists(), word


@pytest.fixture(autouse=True)
def files_need_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """`your.yml` stands for a reader's file."""
    for command in alttrain.commands.values():
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                monkeypatch.setattr(parameter.type, "exists", False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_exist(page: Path) -> None:
    wrong = []
    for words in commands(page):
        try:
            check(words)
        except (AssertionError, click.ClickException, SystemExit) as error:
            wrong.append(f"{shlex.join(words)}: {error}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_with_commands_for_gpus_says_so(page: Path) -> None:
    shown = "\n".join(shlex.join(words) for words in commands(page))
    if re.search(r"axolotl train examples/alttrain|vllm serve|--gpus all|outputs/alttrain-\d", shown):
        assert "GPU" in page.read_text(encoding="utf-8")


def test_each_of_our_commands_is_run_by_a_test() -> None:
    assert set(RUN_BY) == set(alttrain.commands)
    assert [path for path in RUN_BY.values() if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("axolotl alttrain fitt your.yml", "no command fitt"),
        ("axolotl alttrain fit your.yml --gpuss 2", "--gpuss"),
        ("make dmeo", "dmeo"),
        ("python -m benchmarks.nothing", "benchmarks.nothing"),
        ("axolotl train examples/none.yml", "examples/none.yml"),
        ("chmod 777 /", "unknown program chmod"),
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str, said: str) -> None:
    with pytest.raises((AssertionError, click.ClickException), match=re.escape(said)):
        check(shlex.split(line))


def test_the_exit_codes_are_those_of_the_help() -> None:
    rows = table(ROOT / "docs" / "commands.md", "| command | 0 |")[1:]
    assert [[cell for cell in row if cell] for row in rows] == [[name, *codes] for name, codes in EXIT_CODES.items()]
