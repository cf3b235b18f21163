"""The one command line: its commands, their help, JSON on standard output, and completion by the shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from axolotl_alttrain.eval.config.command_line import COMMON
from axolotl_alttrain.eval.config.groups import FLAGS
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from axolotl_alttrain import __version__
from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.errors import exit_codes
from tests.conftest import ROOT

NAMES = ["preview", "doctor", "fit", "build", "data-card", "traces", "export", "evaluate", "import"]
NAMES += ["compare", "card", "check-export"]
SCREEN = 40  # lines, at 100 columns


def run(*arguments: str) -> Any:
    return CliRunner().invoke(alttrain, list(arguments), env={"COLUMNS": "100"}, terminal_width=100)


def completed(*words: str) -> list[str]:
    """What the shell offers for the last word."""
    complete = ShellComplete(alttrain, {}, "axolotl alttrain", "_AXOLOTL_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_the_commands_in_their_order() -> None:
    assert list(alttrain.commands) == NAMES
    listed = re.findall(r"^  ([a-z-]+)  +\S", run("--help").output.partition("Commands:")[2], re.MULTILINE)
    assert listed == NAMES
    assert "..." not in run("--help").output.partition("Commands:")[2]  # no summary is cut off


@pytest.mark.parametrize("name", NAMES)
def test_help_fits_a_screen(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.lower().startswith(f"usage: axolotl alttrain {name}" if name in NAMES[7:11] else "usage: ")
    assert len(result.output.splitlines()) <= SCREEN
    assert " ".join(result.output.split()).endswith(exit_codes(name))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("doctor", "0 no problem; 1 a problem or a mistake; 2 a wrong flag; 130 interrupted."),
        ("build", "0 done; 1 a mistake; 2 a wrong flag; 130 interrupted."),
        (
            "evaluate",
            "0 done; 1 a mistake; 2 an unknown flag; 3 a set, attack or completion is unavailable, and the rest ran; "
            "130 interrupted.",
        ),
    ],
)
def test_help_ends_with_the_exit_codes(name: str, codes: str) -> None:
    assert " ".join(run(name, "--help").output.split()).endswith(f"Exit codes: {codes}")


def test_every_flag_of_an_evaluation_is_in_its_long_help() -> None:
    short, long = run("evaluate", "--help").output, run("evaluate", "--help-all").output
    flags = {f"--{name.replace('_', '-')}" for name in FLAGS}
    common = {f"--{name.replace('_', '-')}" for name in COMMON}
    assert set(re.findall(r"^  (--[a-z0-9-]+)", long, re.MULTILINE)) >= flags
    shown = set(re.findall(r"^  (--[a-z0-9-]+)", short, re.MULTILINE))
    assert shown == common | {"--help-all", "--list"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "--samples", "0"], "axolotl alttrain evaluate: --samples"),
        (["card", "."], "axolotl alttrain card: .: summary.json is missing; give the folder of a finished evaluation"),
        (["compare", "no-such-run"], "axolotl alttrain compare: no-such-run"),
        (["import", "a.jsonl"], "axolotl alttrain import: --model is missing; give the name of the model"),
    ],
)
def test_mistakes_name_the_command_that_was_typed(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_a_build_and_an_evaluation_have_cards_of_different_names() -> None:
    assert "build" in run("data-card", "--help").output
    assert "evaluation" in run("card", "--help").output


@pytest.mark.parametrize("arguments", [["--json"], ["--json", "-"]])
def test_json_on_standard_output_is_json_alone(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from axolotl_alttrain.cli.checks import doctor_command as module
    from axolotl_alttrain.cli.checks.environment_checks import Check

    monkeypatch.setattr(module, "all_checks", lambda config: iter([Check("a", "problem", "broken", "mend it")]))
    result = run("doctor", *arguments)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["axolotl-alttrain"] == __version__
    assert found["checks"] == [{"name": "a", "status": "problem", "found": "broken", "remedy": "mend it"}]
    assert found["packages"]["axolotl"]


def test_fit_prints_json_too() -> None:
    found = json.loads(run("fit", str(ROOT / "examples" / "alttrain-8b.yml"), "--json").stdout)
    assert found["parameters"] == 8_030_261_248


@pytest.mark.parametrize("name", ["doctor", "fit", "preview"])
def test_json_never_overwrites_the_config(name: str, tmp_path: Path) -> None:
    config = tmp_path / "mine.yml"
    config.write_text("base_model: x\n")
    result = run(name, "--json", str(config))
    assert result.exit_code == 2
    assert f"would overwrite {config}; give the config before --json" in " ".join(result.stderr.split())
    assert config.read_text() == "base_model: x\n"


def test_completion_of_commands_and_flags() -> None:
    assert completed("d") == ["doctor", "data-card"]
    assert completed("evaluate", "--max") == ["--max-new-tokens", "--max-thought-tokens"]
    assert completed("evaluate", "--guard") == ["--guard-url", "--guard-name", "--guard-load-in-4bit"]
    assert completed("compare", "--ref") == ["--reference"]
    assert completed("import", "--tok") == ["--tokenizer"]
    assert completed("card", "--p") == ["--push"]
    assert completed("traces", "--thought-format", "") == ["auto", "s1"]


@pytest.mark.slow  # starts axolotl, which imports torch
def test_completion_through_axolotl_itself() -> None:
    words = {"_AXOLOTL_COMPLETE": "bash_complete", "COMP_WORDS": "axolotl alttrain evaluate --max", "COMP_CWORD": "3"}
    axolotl = Path(sys.executable).with_name("axolotl")
    done = subprocess.run([axolotl], env={**os.environ, **words}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["plain,--max-new-tokens", "plain,--max-thought-tokens"]


def test_the_group_runs_without_axolotl() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "axolotl_alttrain.cli", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: axolotl alttrain ")


def test_every_command_is_documented() -> None:
    assert all(isinstance(command, click.Command) for command in alttrain.commands.values())
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[?`axolotl alttrain ([a-z-]+)", page, re.MULTILINE) == NAMES
