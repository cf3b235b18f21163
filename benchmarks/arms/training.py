"""Train an arm with ``axolotl train``, and read from the log how long a training took."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.builtin import resolve_dataset

RECIPE_FILE = "recipe.yml"
_NUMBER = r"'?([\d.e+-]+)'?"
_PROGRESS = re.compile(rf"'tokens/trainable': {_NUMBER}.*?'epoch': {_NUMBER}")
_END = re.compile(rf"'train_runtime': {_NUMBER}.*?'epoch': {_NUMBER}")


@dataclass(frozen=True)
class Training:
    """How long a training took; None where its log is not there.

    Attributes:
        minutes: Of the steps, without loading the model and preparing the data.
        tokens_per_second: Tokens with loss.
    """

    minutes: float | None = None
    tokens_per_second: float | None = None


class TrainingFailed(Exception):
    """``axolotl train`` ended with an error; the message says where its log is."""


def train(config: dict[str, Any], folder: Path) -> None:
    """Train into a folder; nothing is done where this config's adapter is there already.

    Raises:
        TrainingFailed: The training ended with an error.
        AltTrainError: The folder holds the training of another config.
    """
    path, text = folder / RECIPE_FILE, yaml.safe_dump(config, sort_keys=False) + _data_notes(config)
    if is_trained(folder):
        if path.is_file() and path.read_text(encoding="utf-8") != text:
            raise AltTrainError(
                f"{folder}: was trained with another recipe or data; delete the folder, or use another --out"
            )
        return
    write_atomic(path, text)
    scripts = Path(sys.executable).parent  # axolotl starts `accelerate`, which it looks for on PATH
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([sys.executable, "-m", "axolotl.cli.main", "train", str(path)], env=environment)
    if done.returncode or not is_trained(folder):
        raise TrainingFailed(
            f"axolotl train ended with {done.returncode}; see {folder.parent.name}/{folder.name}/debug.log"
        )


def _data_notes(config: dict[str, Any]) -> str:
    """A comment for each data file with its hash, so that a training on other rows is not taken for this one."""
    files = {Path(resolve_dataset(entry["path"])) for entry in config.get("datasets", ())}
    hashes = [(one.name, hashlib.sha256(one.read_bytes()).hexdigest()[:16]) for one in sorted(files) if one.is_file()]
    return "".join(f"# {name} {digest}\n" for name, digest in hashes)


def is_trained(folder: Path) -> bool:
    """Whether a folder holds an adapter; Axolotl writes its config before the weights."""
    return (folder / "adapter_config.json").is_file() and any(folder.glob("adapter_model.*"))


def measured_training(folder: Path) -> Training:
    """Time and speed of the last training in Axolotl's ``debug.log``.

    The trained tokens are those of the last logged step, carried on to the end of the training.
    """
    path = folder / "debug.log"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    ends = list(_END.finditer(text))
    if not ends:
        return Training()
    seconds, epochs = map(float, ends[-1].groups())
    steps = list(_PROGRESS.finditer(text, 0, ends[-1].start()))
    if not steps or not float(steps[-1][2]):
        return Training(round(seconds / 60, 1))
    tokens = float(steps[-1][1]) / float(steps[-1][2]) * epochs
    return Training(round(seconds / 60, 1), round(tokens / seconds, 1))
