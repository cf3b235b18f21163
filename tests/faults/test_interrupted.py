"""The short form of ``python -m benchmarks.faults``: kill -9, SIGTERM and Ctrl-C at random points, then resumed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.points import SIGNALS
from benchmarks.faults.tasks import TASKS
from tests.conftest import ROOT

if sys.platform == "win32":
    pytest.skip("this system does not fork", allow_module_level=True)

FAST = ("build", "traces-api", "push")
SLOW = tuple(name for name in TASKS if name not in FAST)


@pytest.mark.parametrize(("names", "points"), [(FAST, 2), pytest.param(SLOW, 3, marks=pytest.mark.slow)])
def test_nothing_is_lost_and_the_end_is_the_same(names: tuple[str, ...], points: int, tmp_path: Path) -> None:
    """In a process of its own: one that has used torch's threads cannot be forked."""
    options = ["--points", str(points), "--tasks", *names, "--seed", "7", "--results", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.faults", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = json.loads((tmp_path / "faults.json").read_text())["tasks"]
    assert len(tried) == len(names)
    for one in tried.values():
        assert one["faults"] == []
        assert one["points"] == {signal.name: points for signal in SIGNALS}
        assert one["finished"] >= 1
