"""The same seed on the same machine gives the same bytes, in processes that hash texts differently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.results import manifest

from benchmarks.faults.points import contents
from tests.conftest import ROOT

from .conftest import Evaluate


@pytest.fixture(scope="module")
def made(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """Everything, made twice; dates are the same because the clock stands still."""
    found = []
    for seed in ("1", "2"):
        folder = tmp_path_factory.mktemp("made")
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "tests.faults.made", *map(str, tiny)]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(contents(folder))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("data", {"data/data.jsonl", "data/report.json", "data/assessments.jsonl", "data/rejected.jsonl"}),
        ("ids", {"ids.json"}),
        ("samples", {"run/samples.jsonl"}),
        ("report", {"run/report.html", "run/results.md", "run/summary.json", "run/scored.jsonl", "run/manifest.json"}),
    ],
)
def test_the_same_bytes(what: str, files: set[str], made: list[dict[str, bytes]]) -> None:
    first, second = ({name: one[name] for name in files} for one in made)
    assert {name for name in files if not first[name]} <= {"data/rejected.jsonl"}  # no row is rejected here
    assert [name for name in files if first[name] != second[name]] == []


# The adapter's bytes: tests/probe/test_training.py and test_resumed_training.py compare whole trainings.


def test_the_manifest_shows_what_differs(evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluate(tmp_path / "a") == 0
    versions = manifest.versions()
    monkeypatch.setattr(manifest, "versions", lambda: versions | {"torch": "0.0"})
    monkeypatch.setattr("axolotl_alttrain.eval.results.summarise.versions", lambda: versions | {"torch": "0.0"})
    monkeypatch.setattr(manifest, "_processor", lambda: "Another 9000")
    assert evaluate(tmp_path / "b") == 0
    first, second = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("a", "b"))
    differing = {name for name in first if first[name] != second[name]}
    assert differing - {"flags", "started", "finished", "seconds"} == {"packages", "hardware"}
    (run,) = load_runs([tmp_path / "b"])  # compare names what differs
    assert (run.origin["torch"], run.origin["hardware"]) == ("0.0", "Another 9000")
