"""Read and check the files of a finished evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from axolotl_alttrain.errors import AltTrainError, shown

AGAIN = "run the same evaluation again (its samples are kept)"
FINISHED = "give the folder of a finished evaluation"
Model = TypeVar("Model", bound=BaseModel)


def read_run_file(folder: Path, name: str, model: type[Model]) -> Model:
    """A JSON file of a run, ``summary.json`` or ``manifest.json``.

    Args:
        folder: The run.
        name: The file.
        model: What the file must hold.

    Raises:
        AltTrainError: The file is missing or broken, or lacks a field.
    """
    path = folder / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AltTrainError(f"{folder}: {name} is missing; {FINISHED}") from None
    except (OSError, ValueError) as error:
        raise AltTrainError(f"{path}: cannot be read ({error}); {AGAIN}") from None
    if not isinstance(content, dict):
        raise AltTrainError(f"{path}: the file holds {shown(content)} instead of a JSON object; {AGAIN}")
    return checked(content, model, str(path))


def checked(content: Mapping[str, object], model: type[Model], where: str) -> Model:
    """Content as a model.

    Args:
        content: A JSON object.
        model: What it must hold.
        where: File, and row if any, for the message.

    Raises:
        AltTrainError: Naming the first field that is missing or wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            problem = f"field '{field}' is missing"
        else:
            message = first["msg"]
            problem = f"field '{field}': found {shown(first['input'])}; {message[:1].lower()}{message[1:]}"
        raise AltTrainError(f"{where}: {problem}; {AGAIN}") from None
