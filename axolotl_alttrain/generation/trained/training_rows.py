"""The rows that an adapter was trained on, as far as its folder says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.storage.builtin import resolve_dataset

SEED = "alttrain-seed"
_CONFIG = re.compile(r"^```ya?ml\n(.*?)^```", re.DOTALL | re.MULTILINE)  # in the model card that Axolotl writes


def trained_datasets(adapter: str | None) -> list[str]:
    """The paths of the ``type: alttrain`` datasets in the Axolotl config that the adapter's ``README.md`` shows.

    Args:
        adapter: Folder of an adapter; other names, and None, have no datasets.
    """
    card = Path(adapter or "") / "README.md"
    if not adapter or not card.is_file():
        return []
    for found in _CONFIG.finditer(card.read_text(encoding="utf-8", errors="replace")):
        try:
            config = yaml.safe_load(found.group(1))
        except yaml.YAMLError:
            continue
        entries = config.get("datasets") if isinstance(config, dict) else None
        if isinstance(entries, list):
            return [str(one["path"]) for one in entries if isinstance(one, dict) and one.get("type") == "alttrain"]
    return []


def trained_rows(adapter: str | None, given: Path | None = None) -> tuple[list[AltTrainExample], str]:
    """The rows of a file that the user names, else of the adapter's datasets, else the seed data.

    Args:
        adapter: Folder of an adapter, or None.
        given: A JSONL file of training rows.

    Returns:
        The rows, and where they are from.

    Raises:
        AltTrainError: The file that the user names cannot be read.
    """
    return (read_examples(given), str(given)) if given is not None else rows_of(trained_datasets(adapter))


def rows_of(names: Sequence[str]) -> tuple[list[AltTrainExample], str]:
    """The rows of datasets by the paths in a config, or the seed data where they cannot be read, and where from."""
    try:
        rows = [row for name in names for row in read_examples(resolve_dataset(name))]
        if rows:
            return rows, ", ".join(Path(name).name for name in names)
    except AltTrainError:  # moved since the training, or of a kind that only Axolotl loads
        pass
    reason = f" ({', '.join(names)} of the adapter's config cannot be read here)" if names else ""
    return read_examples(resolve_dataset(SEED)), SEED + reason
