"""Read YAML files; errors name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.errors import AltTrainError, shown

OUTSIDE = "leaves the current folder; write a path below it, or name the folder with --out"


def leaves_folder(path: str) -> bool:
    """Whether a config's output path leaves the folder in which the command runs, which only a flag may do."""
    return Path(path).is_absolute() or ".." in Path(path).parts


def read_mapping(path: Path, allowed: str) -> dict[Any, Any]:
    """The keys and values of a YAML file.

    Args:
        path: The file.
        allowed: What belongs in it, for the message.

    Raises:
        AltTrainError: It cannot be read, is not YAML, or has no keys.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AltTrainError(
            f"{path}: the file cannot be read as YAML ({' '.join(str(error).split())}); check the path and the syntax"
        ) from None
    if not isinstance(content, dict):
        raise AltTrainError(f"{path}: the file holds {shown(content)} instead of keys; write {allowed}")
    return content
