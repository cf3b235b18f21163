"""Datasets that ship with the package and are given by name: ``path: alttrain-seed``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError

BUILTIN_DATASETS = {
    "alttrain-seed": "data/alttrain-seed.jsonl",
    "alttrain-seed-1k": "data/alttrain-seed-1k.jsonl",
    "alttrain-reasoning": "data/alttrain-reasoning.jsonl",
}


def example_file(name: str) -> Path:
    """Path of a file under ``examples/``, in a checkout or an installed wheel.

    Raises:
        AltTrainError: There is no such file.
    """
    path = Path(str(files("axolotl_alttrain.examples").joinpath(name)))
    if not path.is_file():
        raise AltTrainError(f"{path} is missing; reinstall axolotl-alttrain")
    return path


def resolve_dataset(path: str) -> str:
    """The file of a built-in dataset; any other path, or a local file of that name, is returned unchanged."""
    if path in BUILTIN_DATASETS and not Path(path).exists():
        return str(example_file(BUILTIN_DATASETS[path]))
    return path


def dataset_name(path: str) -> str:
    """The name of a built-in dataset, given its file; any other path unchanged."""
    return next((name for name, file in BUILTIN_DATASETS.items() if path == str(example_file(file))), path)
