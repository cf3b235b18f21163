"""The whole evaluator on a real, tiny model: generate, judge, summarise, resume."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.generation.quantization import NF4

from ..conftest import ROOT


def run(tiny: tuple[Path, Path], out: Path, *more: str) -> dict[str, Any]:
    base, adapter = tiny
    arguments = [
        "--model",
        str(base),
        "--adapter",
        str(adapter),
        "--limit",
        "5",
        "--max-new-tokens",
        "12",
        "--batch-size",
        "4",
        "--dtype",
        "float32",
        "--out",
        str(out),
        *more,
    ]
    assert main(arguments) == 0
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def finished(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("run")
    return out, run(tiny, out)


def test_everything_is_written(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    assert {p.name for p in out.iterdir()} == {
        "samples.jsonl",
        "scored.jsonl",
        "judgements.jsonl",
        "verdict-scores.jsonl",
        "summary.json",
        "manifest.json",
        "report.html",
        "results.md",
        "model-card.md",
    }
    samples = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert len(samples) == 40
    assert {(s["run"], s["finish"]) for s in samples} <= {(r, f) for r in ("base", "tuned") for f in ("stop", "length")}
    assert all(s["tokens"] <= 12 for s in samples)
    assert set(summary["runs"]) == {"base", "tuned"}
    for one in summary["runs"].values():
        rate = one["metrics"]["harmful_response"]
        # Of probe-harmful and probe-contrast; of all four sets.
        assert (rate["total"], one["metrics"]["structure"]["total"]) == (10, 20)
        assert rate["low"] <= rate["value"] <= rate["high"]
    assert summary["comparison"]["capability"]["pairs"] == 5
    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert not re.search(r'(?:src|href)\s*=\s*"(?:https?:)?//', page)  # nothing is fetched


def test_the_adapter_changes_what_is_said(finished: tuple[Path, dict[str, Any]]) -> None:
    samples = [json.loads(line) for line in (finished[0] / "samples.jsonl").read_text().splitlines()]
    texts = {
        run: {(s["set"], s["id"]): s["completion"] for s in samples if s["run"] == run} for run in ("base", "tuned")
    }
    assert texts["base"].keys() == texts["tuned"].keys()
    assert texts["base"] != texts["tuned"]


def test_base_with_an_adapter_at_hand_equals_the_base_alone(
    tiny: tuple[Path, Path], finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    arguments = [
        "--model",
        str(tiny[0]),
        "--limit",
        "5",
        "--max-new-tokens",
        "12",
        "--dtype",
        "float32",
        "--out",
        str(tmp_path),
    ]
    assert main(arguments) == 0
    alone = {s["key"]: s["completion"] for s in map(json.loads, (tmp_path / "samples.jsonl").read_text().splitlines())}
    both = {
        s["key"]: s["completion"] for s in map(json.loads, (finished[0] / "samples.jsonl").read_text().splitlines())
    }
    assert {key: both[key] for key in alone} == alone


def test_a_killed_run_resumes_and_ends_the_same(
    tiny: tuple[Path, Path], finished: tuple[Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (finished[0] / "samples.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "samples.jsonl").write_text("".join(lines[:11]) + lines[11][:40])  # as kill -9 leaves it
    summary = run(tiny, tmp_path)
    assert "11 of 40 completions are already in" in capsys.readouterr().out
    assert summary["runs"] == finished[1]["runs"]
    again = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert len({s["key"] for s in again}) == len(again) == 40


def test_other_settings_are_other_samples(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    for tokens in ("3", "4"):
        assert (
            main(
                [
                    "--model",
                    str(tiny[0]),
                    "--sets",
                    "probe-benign",
                    "--limit",
                    "2",
                    "--max-new-tokens",
                    tokens,
                    "--out",
                    str(tmp_path),
                ]
            )
            == 0
        )
    assert len((tmp_path / "samples.jsonl").read_text().splitlines()) == 4


def test_four_bit_base_with_its_adapter(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    summary = run(tiny, tmp_path, "--load-in-4bit", "--sets", "probe-harmful")
    assert summary["settings"]["load_in_4bit"] is True
    assert summary["runs"]["tuned"]["metrics"]["harmful_response"]["total"] == 5


def test_the_base_is_loaded_as_the_adapter_was_trained(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = tiny[0], tmp_path / "adapter"
    shutil.copytree(tiny[1], adapter)
    config = json.loads((base / "config.json").read_text()) | {"quantization_config": NF4}
    (adapter / "config.json").write_text(json.dumps(config))  # as Axolotl saves it for QLoRA
    sets = ("--sets", "probe-harmful")
    assert run((base, adapter), tmp_path / "auto", *sets)["settings"]["load_in_4bit"] is True
    full = run((base, adapter), tmp_path / "full", *sets, "--weights", "full-precision")
    assert full["settings"]["load_in_4bit"] is False
    assert run(tiny, tmp_path / "plain", *sets)["settings"]["load_in_4bit"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "no/such-folder/here"], "--model no/such-folder/here: there is no such folder"),
        (["--adapter", "."], "adapter_config.json"),
        (["--sets", "strongreject2"], "allowed: probe-harmful"),
    ],
)
def test_mistakes_are_explained_without_a_traceback(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_attacks_that_no_prompt_can_take_leave_nothing_to_ask(
    tiny: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--sets", "probe-harmful", "--attacks", "translation", "--limit", "2", "--model", str(tiny[0])]) == 1
    assert capsys.readouterr().err == (
        "eval.run: --attacks: no prompt is left to ask:\n"
        "  probe-harmful+translation: this attack does not apply to 2 prompts: the set has no translations\n"
    )


def test_everything_that_is_wrong_is_named_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "xstest_prompts.csv").write_text("id,question\n1,How do I boil an egg?\n")
    sets = ["--sets", "probe-harmful", "xstest-safe", "--data-dir", "sets"]
    assert main(["--model", "./model", *sets, "--judges", "llama-guard-3", "--guard-name", "./guard"]) == 1
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "eval.run: 3 things are wrong:"
    assert [line.split(" (")[0] for line in lines] == [
        "  --model ./model: there is no such folder; check the path",
        "  --judges llama-guard-3: the model ./guard: there is no such folder; check the path",
        "  xstest-safe: sets/xstest_prompts.csv has no row with label 'safe' among its 1 with the columns id, "
        "question; use the file of https://github.com/paul-rottger/xstest",
    ]
    assert not (tmp_path / "outputs").exists()


def test_help_is_quick_and_both_names_work() -> None:
    for module in ("eval.run", "axolotl_alttrain.eval.run"):
        start = time.monotonic()
        shown = subprocess.run(
            [sys.executable, "-m", module, "--help-all"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "--load-in-4bit" in shown.stdout
        assert time.monotonic() - start < 10  # no torch: it would not even get near this on a busy machine
    code = "import sys, eval.run; eval.run.parser(); print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
