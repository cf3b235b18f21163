"""Real trainings of a tiny model through Axolotl: with the probe, without it, and with one that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
PROBE = {"probe_every": 2, "probe_prompts": 3, "probe_max_new_tokens": 16, "probe_budget": 1000}
CURVES = {"harmful_rate", "over_refusal", "structure"}


def train(recipe: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "axolotl.cli.train", recipe.name],
        cwd=recipe.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.promise("determinism", "Training with the probe gives the same weights as without it.")
def test_training_is_the_same_with_and_without(recipe: Callable[..., Path], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(recipe(output_dir="plain"))
    assert not (tmp_path / "plain" / "probe.jsonl").exists()
    train(recipe(PROBE, output_dir="probed"))
    plain, probed = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("plain", "probed"))
    assert len(plain) == 28
    assert any(tensor.any() for name, tensor in plain.items() if "lora_B" in name)  # it was trained
    assert plain.keys() == probed.keys()
    assert all(plain[name].equal(probed[name]) for name in plain)

    rows = [json.loads(line) for line in (tmp_path / "probed" / "probe.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    (folder,) = (tmp_path / "probed" / "runs").iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    for curve in CURVES:
        points = [(event.step, event.value) for event in events.Scalars(f"train/alttrain/{curve}")]
        assert points == [(row["step"], pytest.approx(row["rates"][curve]["value"])) for row in rows]
    assert [event.step for event in events.Scalars("train/loss")] == [1, 2, 3, 4]  # no step's loss was lost


def test_a_failing_probe_is_one_warning_and_the_evaluation_follows(recipe: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "out" / "probe.jsonl").mkdir(parents=True)  # cannot be appended to
    said = train(recipe({**PROBE, "evaluate": "probe"}))
    assert said.count("the probe failed and is off, training continues: IsADirectoryError") == 1
    summary = json.loads((tmp_path / "out" / "eval" / "summary.json").read_text())
    assert set(summary["runs"]) == {"base", "tuned"}
    assert (tmp_path / "out" / "eval" / "report.html").is_file()
