"""A real training of a tiny model that gets SIGTERM and is resumed from its checkpoint by Axolotl."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from axolotl_alttrain.probe.callback import _forget_later_steps
from tests.conftest import ROOT

PROBE = {"probe_every": 1, "probe_prompts": 3, "probe_max_new_tokens": 16, "probe_budget": 1000}
SAVED = {"max_steps": 8, "save_strategy": "steps", "save_steps": 2, "auto_resume_from_checkpoints": True}


def start(recipe: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (recipe.parent / "log.txt").open("ab") as log:
        command = [sys.executable, "-m", "axolotl.cli.train", recipe.name]
        return subprocess.Popen(command, cwd=recipe.parent, stdout=log, stderr=log, env=env)


def probed(folder: Path) -> list[dict[str, Any]]:
    """The lines of the probe's log without times."""
    rows = [json.loads(line) for line in (folder / "probe.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in rows]


@pytest.mark.slow
def test_the_end_is_the_same(recipe: Callable[..., Path], tmp_path: Path) -> None:
    assert start(recipe(PROBE, output_dir="whole", **SAVED)).wait() == 0, (tmp_path / "log.txt").read_text()[-3000:]
    stopped = tmp_path / "stopped"
    process = start(recipe(PROBE, output_dir="stopped", **SAVED))
    log = stopped / "probe.jsonl"
    while process.poll() is None and not (log.is_file() and log.read_bytes().count(b"\n") >= 5):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait() != 0
    checkpoints = {path.name for path in stopped.glob("checkpoint-*")}
    assert "checkpoint-4" in checkpoints
    assert "checkpoint-8" not in checkpoints
    with log.open("a") as torn:
        torn.write('{"step": 6, "rates": {"harmful_rate": {"count": 1}')  # what a kill in a write leaves

    assert start(recipe(PROBE, output_dir="stopped", **SAVED)).wait() == 0, (tmp_path / "log.txt").read_text()[-3000:]
    assert [row["step"] for row in probed(stopped)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert probed(stopped) == probed(tmp_path / "whole")
    whole, resumed = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "stopped"))
    assert whole.keys() == resumed.keys()
    assert all(whole[name].equal(resumed[name]) for name in whole)


def test_half_a_line_and_later_steps_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "probe.jsonl"
    path.write_text('{"step": 2}\n{"step": 4}\n{"step": 6}\n{"step": 3, "rates": {"a": 1}')  # it ends in a brace
    _forget_later_steps(path, 4)
    assert path.read_text() == '{"step": 2}\n{"step": 4}\n'
