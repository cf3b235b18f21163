"""Killed in the middle, started again: the same numbers, and nothing asked twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..conftest import ROOT


def command(tiny: tuple[Path, Path], out: Path) -> list[str]:
    flags = f"--model {tiny[0]} --adapter {tiny[1]} --limit 12 --max-new-tokens 40 --batch-size 2 --dtype float32"
    attacks = "--attacks none multi-turn prefilled-thought"
    return [sys.executable, "-m", "eval.run", *flags.split(), *attacks.split(), "--out", str(out)]


@pytest.mark.promise("faults", "A killed evaluation resumes to the numbers of an undisturbed one.")
@pytest.mark.slow
def test_kill_9_and_again(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    subprocess.run(command(tiny, tmp_path / "whole"), cwd=ROOT, check=True, capture_output=True)
    out = tmp_path / "killed"
    samples = out / "samples.jsonl"
    process = subprocess.Popen(command(tiny, out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if samples.exists() and samples.read_bytes().count(b"\n") >= 20:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    finally:
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "summary.json").exists()
    kept = samples.read_text().splitlines()[:20]
    again = subprocess.run(command(tiny, out), cwd=ROOT, check=True, capture_output=True, text=True)
    assert "completions are already in" in again.stdout
    whole, resumed = (json.loads((p / "summary.json").read_text()) for p in (tmp_path / "whole", out))
    assert resumed["runs"] == whole["runs"]
    assert resumed["comparison"] == whole["comparison"]
    lines = samples.read_text().splitlines()
    assert lines[:20] == kept
    assert len({json.loads(line)["key"] for line in lines}) == len(lines)
    assert len(lines) == len((tmp_path / "whole" / "samples.jsonl").read_text().splitlines())
