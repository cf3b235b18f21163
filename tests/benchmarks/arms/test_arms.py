"""Arms that are trained already, evaluated for real on the tiny model; the table and the picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.report.tables import as_markdown
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, wilson

from benchmarks.arms.__main__ import main
from benchmarks.arms.evaluation import Measured
from benchmarks.arms.results import ArmResult, Results, Run, draw, markdown_head, table
from benchmarks.arms.training import Training
from tests.exports import Exports


def test_trained_adapters_are_evaluated_once(exports: Exports, tmp_path: Path) -> None:
    arguments = ["--trained", f"mine={exports.adapter}", "--limit", "1", "--max-new-tokens", "2"]
    arguments += ["--forms", "full-precision", "--out", str(tmp_path), "--results", str(tmp_path / "r")]
    assert main(arguments) == 0
    (found,) = json.loads((tmp_path / "r" / "arms.json").read_text())["arms"]
    assert (found["name"], found["why"], found["failed"]) == ("mine", "trained beforehand", {})
    assert {name: rate["total"] for name, rate in found["runs"][0]["forms"]["full-precision"]["rates"].items()} == {
        "harmful": 1, "contrast": 1, "benign": 1, "structure": 4, "capability": 1
    }  # fmt: skip
    summary = tmp_path / "eval" / "probe-open-1" / "mine-adapter-full-precision" / "summary.json"
    before = summary.stat().st_mtime_ns
    assert main(arguments) == 0
    assert summary.stat().st_mtime_ns == before
    text = (tmp_path / "r" / "arms.md").read_text()
    assert str(tmp_path) not in text
    assert "| base | unquantised base | – |" in text
    assert (tmp_path / "r" / "arms.png").stat().st_size > 10_000


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--trained", f"mine={tmp_path}"]) == 1
    assert "holds no adapter; write NAME=FOLDER, or NAME=FOLDER,FOLDER" in capsys.readouterr().err


def rates(harmful: Rate) -> Measured:
    same = {"contrast": wilson(5, 10), "benign": wilson(1, 10), "structure": wilson(10, 10)}
    return Measured({"harmful": harmful, **same}, {"harmful": 0.96})


def test_the_table_shows_prompts_for_one_seed_and_seeds_for_several(tmp_path: Path) -> None:
    one = Run(seed="1", training=Training(10.0, 150.0), forms={"as-trained": rates(wilson(1, 10))})
    two = Run(seed="2", training=Training(), forms={"as-trained": rates(wilson(2, 10))})
    arms = [
        ArmResult(name="a", why="w", recipe={}, runs=[one]),
        ArmResult(name="b", why="w", recipe={}, runs=[one, two]),
        ArmResult(name="c", why="w", recipe={}, failed={"seed 1": "axolotl train ended with 1"}),
    ]
    results = Results(
        command="c", suite="probe-open", limit=None, max_new_tokens=256, base={"base in NF4": rates(wilson(9, 10))},
        arms=arms, hardware={"cpus": 2}, packages={},
    )  # fmt: skip
    lines = as_markdown(table(results)).replace("\\", "").splitlines()
    assert lines[0] == (
        "| arm | weights | seeds | harmful, % | contrast answered, % | over-refusal, % | structure, % | capability, % "
        "| AUROC | AUROC, contrast | trained tokens/s | minutes |"
    )
    others = "50.0 [23.7, 76.3] | 10.0 [1.8, 40.4] | 100.0 [72.2, 100.0] | – | 0.960 | – |"
    assert lines[2] == f"| base | base in NF4 | – | 90.0 [59.6, 98.2] | {others} – | – |"
    assert lines[3] == f"| a | as-trained | 1 | 10.0 [1.8, 40.4] | {others} 150.0 | 10.0 |"
    # 15 ± 12.706 * 7.071 / sqrt(2), cut at 0
    assert lines[4] == (
        "| b | as-trained | 2 | 15.0 [0.0, 78.5] | 50.0 [50.0, 50.0] | 10.0 [10.0, 10.0] | 100.0 [100.0, 100.0] | – "
        "| 0.960 [0.960, 0.960] | – | 150.0 | 10.0 |"
    )
    assert lines[5] == "| c | – | – | – | – | – | – | – | – | – | – | – |"
    assert lines[7] == "c, seed 1: axolotl train ended with 1."
    assert "tokens, 2 CPU cores. Intervals" in markdown_head(results)
    on_gpu = results.model_copy(update={"hardware": {"cpus": 16, "gpus": ["NVIDIA H100"]}})
    assert "tokens, NVIDIA H100. Intervals" in markdown_head(on_gpu)
    assert "tokens, 2 CPU cores, trainings of 9 steps. Int" in markdown_head(results.model_copy(update={"steps": 9}))
    draw(results, tmp_path / "arms.png")
    assert (tmp_path / "arms.png").stat().st_size > 10_000
