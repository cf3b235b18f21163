"""Run trainings on one card: some load side by side, then each trains while the others wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GIB = 1 << 30


@dataclass(frozen=True)
class Training:
    """One training to run.

    Attributes:
        recipe: The recipe's name.
        setup: One of :data:`benchmarks.train_gpu.setups.SETUPS`.
        cfg: Its config.
        folder: Where it runs, the config's relative paths start, and its files are written.
        warmup: Steps that do not count.
        cap_gib: What it may allocate, its CUDA context included; None for no limit.
        context_gib: The memory of its CUDA context.
    """

    recipe: str
    setup: str
    cfg: dict[str, Any]
    folder: Path
    warmup: int
    cap_gib: float | None = None
    context_gib: float = 0.0

    @property
    def stem(self) -> Path:
        """Path of its files, without suffix."""
        return self.folder / self.setup.replace(", ", "-").replace(" ", "-")


@dataclass(frozen=True)
class _Started:
    training: Training
    process: subprocess.Popen[str]

    @property
    def ready(self) -> Path:
        return self.training.stem.with_suffix(".ready")


def train_in_turn(trainings: Sequence[Training]) -> list[dict[str, Any]]:
    """Load the models of all trainings side by side, then train one after the other; the waiting ones compute nothing.

    Returns:
        What each measured, or why it failed under ``failed``, in the order given.
    """
    started = [_start(one) for one in trainings]
    for one in started:
        while not one.ready.exists() and one.process.poll() is None:
            time.sleep(0.2)
    return [_take_turn(one) for one in started]


def _start(training: Training) -> _Started:
    config, out = training.stem.with_suffix(".yml"), training.stem.with_suffix(".json")
    config.write_text(yaml.safe_dump(training.cfg), encoding="utf-8")
    out.unlink(missing_ok=True)
    out.with_suffix(".ready").unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.train_gpu.worker", str(config), "--out", str(out)]
    command += ["--warmup", str(training.warmup), "--context-gib", str(training.context_gib)]
    command += ["--cap-gib", str(training.cap_gib)] if training.cap_gib else []
    path_with_us = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path_with_us}
    with training.stem.with_suffix(".log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=training.folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )
    return _Started(training, process)


def _take_turn(one: _Started) -> dict[str, Any]:
    if one.ready.exists() and (too_little := _too_little_left(one)):
        one.process.kill()
        one.process.wait()
        return {"failed": too_little}
    one.process.communicate("train\n" if one.process.poll() is None else None)
    out = one.training.stem.with_suffix(".json")
    if out.exists():
        return json.loads(out.read_text(encoding="utf-8"))
    # A validation error ends with a link, which says nothing of what failed.
    log = one.training.stem.with_suffix(".log").read_text(encoding="utf-8")
    lines = [line.strip() for line in log.splitlines() if line.strip() and "For further information" not in line]
    return {"failed": (lines or [f"exit code {one.process.returncode}"])[-1][:300]}


def _too_little_left(one: _Started) -> str:
    """Why this training cannot have all the memory that its cap allows, so that its failure would mean nothing."""
    if one.training.cap_gib is None:
        return ""
    import torch

    held = float(one.ready.read_text(encoding="utf-8"))
    left = torch.cuda.mem_get_info()[0] / GIB + held
    if left >= one.training.cap_gib - one.training.context_gib:
        return ""
    return f"not measured: models loaded beside it leave {left:.0f} GiB; use a smaller --side-by-side"
