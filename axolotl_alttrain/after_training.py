"""The evaluation after training, ``alttrain: {evaluate: SUITE}``: the evaluator's own command on what was saved."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl.utils.logging import get_logger

LOG = get_logger(__name__)
# What launchers tell their processes; the evaluation is a process on its own, with all threads and devices.
_LAUNCHER = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "NODE_RANK"}
_LAUNCHER |= {"MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS"}
_LAUNCHER_PREFIXES = ("ACCELERATE_", "TORCHELASTIC_", "FSDP_")


def command(cfg: Any, suite: str, thought_format: Any = "auto") -> list[str]:
    """The arguments of :mod:`axolotl_alttrain.eval.run` that evaluate what a config has trained.

    Args:
        cfg: The validated Axolotl config.
        suite: Name of a suite of the evaluator.
        thought_format: As in the config; the evaluator takes the names.
    """
    output = str(cfg["output_dir"])
    trained = ["--adapter" if cfg.get("adapter") else "--model", output]
    named = ["--thought-format", thought_format] if thought_format != "auto" else []
    return [*trained, "--suite", suite, *named, "--out", str(Path(output) / "eval")]


def evaluate_trained(arguments: list[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Run the evaluator in a process of its own, without training's patches and memory; True on success."""
    environment = {
        name: value
        for name, value in environment.items()
        if name not in _LAUNCHER and not name.startswith(_LAUNCHER_PREFIXES)
    }
    by_hand = ["python", "-m", "axolotl_alttrain.eval.run", *arguments]
    LOG.info("evaluating: %s", shlex.join(by_hand))
    try:
        status = subprocess.run([sys.executable, *by_hand[1:]], env=environment, check=False).returncode
    except OSError as error:
        LOG.error("the evaluator cannot be started: %s", error)
        status = 1
    if status:
        LOG.error(
            "the evaluation ended with exit code %d; what was trained is saved. By hand: %s",
            status,
            shlex.join(by_hand),
        )
    return not status
