"""Data sets that come with the package and are named, not pathed, in a recipe: ``path: alttrain-seed``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError

BUILTIN_DATASETS = {"alttrain-seed": "data/alttrain-seed.jsonl"}


def example_file(name: str) -> Path:
    """Path of a file under ``examples/``, in a checkout as in an installed wheel.

    Raises:
        AltTrainError: There is no such file.
    """
    path = Path(str(files("axolotl_alttrain.examples").joinpath(name)))
    if not path.is_file():
        raise AltTrainError(f"{path} is missing; reinstall axolotl-alttrain")
    return path


def resolve_dataset(path: str) -> str:
    """The file behind a built-in data set's name; any other path, and a local file of that name, unchanged."""
    if path in BUILTIN_DATASETS and not Path(path).exists():
        return str(example_file(BUILTIN_DATASETS[path]))
    return path
