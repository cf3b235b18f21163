"""After training: public names in the saved model's card, and its evaluation, ``alttrain: {evaluate: SUITE}``."""

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


def use_public_names(cfg: Any) -> None:
    """Name base and data in the cards that were saved as the config did, instead of by folders of this machine.

    The Trainer copies the folders to which this plugin resolved them. A path that the user wrote stays.

    Args:
        cfg: The validated Axolotl config.
    """
    from axolotl_alttrain.entries import entries_of
    from axolotl_alttrain.generation.demo_model import published_model
    from axolotl_alttrain.storage.atomic import write_atomic
    from axolotl_alttrain.storage.builtin import dataset_name

    names = {cfg["base_model"]: published_model(cfg["base_model"])}
    names |= {entry["path"]: dataset_name(entry["path"]) for entry in entries_of(cfg)}
    output = Path(str(cfg["output_dir"]))
    for card in [*output.glob("README.md"), *output.glob("checkpoint-*/README.md")]:
        text = old = card.read_text(encoding="utf-8")
        for path, name in names.items():
            text = text.replace(path, name)
        if text != old:
            write_atomic(card, text)


def command(cfg: Any, suite: str, thought_format: Any = "auto") -> list[str]:
    """The arguments of :mod:`axolotl_alttrain.eval.run` for evaluating the model that a config trained.

    Args:
        cfg: The validated Axolotl config.
        suite: Name of a suite of the evaluator.
        thought_format: As in the config: a name, or the two texts.
    """
    output = str(cfg["output_dir"])
    trained = ["--adapter", output, "--weights", "as-trained"] if cfg.get("adapter") else ["--model", output]
    texts = thought_format if isinstance(thought_format, str) else json.dumps(dict(thought_format))
    named = ["--thought-format", texts] if texts != "auto" else []
    return [*trained, "--suite", suite, *named, "--out", str(Path(output) / "eval")]


def serving(cfg: Any) -> str | None:
    """How to serve what was measured, for a config's adapter; None where the output is a whole model.

    Args:
        cfg: The validated Axolotl config.
    """
    if not cfg.get("adapter"):
        return None
    output = Path(str(cfg["output_dir"]))
    exported = str(output.with_name(f"{output.name}-exported"))
    export = shlex.join(["axolotl", "alttrain", "export", str(output), "--to", exported])
    measure = shlex.join(["python", "-m", "axolotl_alttrain.eval.run", "--weights", exported])
    if cfg.get("load_in_4bit") or cfg.get("load_in_8bit"):
        return (
            "measured as trained: the adapter on its quantised base. On the unquantised base, as after a plain merge "
            f"or a LoRA request, it can behave differently. To serve what was measured, run: {export}; to measure "
            f"the exported model, run: {measure}"
        )
    return f"measured as trained: serve the adapter on its base, or as one folder that this command makes: {export}"


def evaluate_trained(
    arguments: list[str], closing: str | None = None, environment: Mapping[str, str] = os.environ
) -> bool:
    """Run the evaluator in a separate process, free of training's patches and memory.

    Args:
        arguments: Of the evaluator.
        closing: Printed after a successful evaluation; None for nothing.
        environment: Of the process, without what launchers set.

    Returns:
        True on success.
    """
    environment = {
        name: value
        for name, value in environment.items()
        if name not in _LAUNCHER and not name.startswith(_LAUNCHER_PREFIXES)
    }
    again = ["python", "-m", "axolotl_alttrain.eval.run", *arguments]
    # The group of training processes has ended, so Axolotl's logger cannot ask it for the first one, which this is.
    LOG.info("evaluating: %s", shlex.join(again), main_process_only=False)
    try:
        status = subprocess.run([sys.executable, *again[1:]], env=environment, check=False).returncode
    except OSError as error:
        LOG.error("the evaluator could not be started: %s", error, main_process_only=False)
        status = 1
    if status:
        LOG.error(
            "the evaluation failed with exit code %d; the trained model is saved. To evaluate it again, run: %s",
            status,
            shlex.join(again),
            main_process_only=False,
        )
    elif closing:
        LOG.info("%s", closing, main_process_only=False)
    return not status
