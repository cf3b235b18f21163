"""Evaluation after training, ``alttrain: {evaluate: SUITE}``: runs the evaluator's command on the saved model."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl.utils.logging import get_logger

LOG = get_logger(__name__)
# Set by launchers for their processes. The evaluation runs as a single process with all threads and devices.
_LAUNCHER = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "NODE_RANK"}
_LAUNCHER |= {"MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS"}
_LAUNCHER_PREFIXES = ("ACCELERATE_", "TORCHELASTIC_", "FSDP_")


def command(cfg: Any, suite: str, thought_format: Any = "auto") -> list[str]:
    """The arguments of :mod:`axolotl_alttrain.eval.run` for evaluating the model that a config trained.

    Args:
        cfg: The validated Axolotl config.
        suite: Name of a suite of the evaluator.
        thought_format: As in the config: a name, or the two texts.
    """
    output = str(cfg["output_dir"])
    trained = ["--adapter" if cfg.get("adapter") else "--model", output]
    texts = thought_format if isinstance(thought_format, str) else json.dumps(dict(thought_format))
    named = ["--thought-format", texts] if texts != "auto" else []
    return [*trained, "--suite", suite, *named, "--out", str(Path(output) / "eval")]


def evaluate_trained(arguments: list[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Run the evaluator in a separate process, free of training's patches and memory; return True on success."""
    environment = {
        name: value
        for name, value in environment.items()
        if name not in _LAUNCHER and not name.startswith(_LAUNCHER_PREFIXES)
    }
    again = ["python", "-m", "axolotl_alttrain.eval.run", *arguments]
    LOG.info("evaluating: %s", shlex.join(again))
    try:
        status = subprocess.run([sys.executable, *again[1:]], env=environment, check=False).returncode
    except OSError as error:
        LOG.error("the evaluator could not be started: %s", error)
        status = 1
    if status:
        LOG.error(
            "the evaluation failed with exit code %d; the trained model is saved. To evaluate it again, run: %s",
            status,
            shlex.join(again),
        )
    return not status
