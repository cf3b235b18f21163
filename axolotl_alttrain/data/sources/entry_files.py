"""The local files of a ``datasets:`` entry, read through before Axolotl loads them.

``datasets`` hides what is wrong with a file behind "An error occurred while generating the dataset", and Axolotl looks
on the Hub for a file that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.row_files import Kind, check_rows, is_missing, kind_of

_READ: tuple[Kind, ...] = ("jsonl", "json", "csv", "parquet")


def check_files(entry: Mapping[str, Any]) -> None:
    """Read the file of an entry, or its ``data_files``; a folder and a Hub dataset are left to ``datasets``.

    Raises:
        AltTrainError: A file is missing, empty or broken; the message names the file and the row.
    """
    path, data_files = str(entry.get("path") or ""), entry.get("data_files") or []
    if is_missing(path) and not data_files:
        raise AltTrainError(
            f"datasets: {path} cannot be read (there is no such file); correct 'path:', which is relative to the "
            "folder that the command runs in"
        )
    names = [path] if Path(path).is_file() else [data_files] if isinstance(data_files, str) else data_files
    for name in names:
        file, given = Path(str(name)), str(entry.get("ds_type") or "json").removeprefix("alttrain_")
        if not file.is_file() or given not in ("json", "csv", "parquet"):
            continue
        kind: Any = kind_of(file) or given.replace("json", "jsonl")
        if kind not in _READ:
            raise AltTrainError(
                f"datasets: {file} is a {kind} file, which cannot be trained on; save it as CSV or JSONL"
            )
        try:
            check_rows(file, kind)
        except AltTrainError as error:
            raise AltTrainError(f"datasets: {error}") from None
