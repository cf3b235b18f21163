"""Read the files of an evaluation that has finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown


def read_run_file(folder: Path, name: str, needed: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON file of a run, ``summary.json`` or ``manifest.json``.

    Args:
        folder: The run.
        name: The file.
        needed: Keys that it must have.

    Raises:
        AltTrainError: The file is missing, broken or of an older version.
    """
    path = folder / name
    again = "run the same evaluation again, samples are kept"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AltTrainError(f"{folder}: found no {name}; allowed: a folder that the evaluator has finished") from None
    except (OSError, ValueError) as error:
        raise AltTrainError(f"{path}: cannot be read ({error}); {again}") from None
    if not isinstance(content, dict):
        raise AltTrainError(f"{path}: found {shown(content)}; {again}")
    if lacking := [key for key in needed if key not in content]:
        raise AltTrainError(f"{path}: found no {', '.join(lacking)}; {again}")
    return content
