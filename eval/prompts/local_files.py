"""The publishers' own files of a set, below ``--data-dir``: CSV, JSON, JSONL and parquet."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.prompts.sets import SetSpec

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.storage.jsonl import read_jsonl

csv.field_size_limit(2**30)  # articles are longer than csv's default field


def local_files(spec: SetSpec, data_dir: Path | None) -> list[Path]:
    """The set's files below ``data_dir``; empty where they are not there."""
    return sorted(data_dir.glob(spec.file)) if data_dir else []


def files_digest(paths: Sequence[Path]) -> str:
    """What identifies local files: a hash of their names and content."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"sha256:{digest.hexdigest()[:16]}"


def check_commas(path: Path) -> None:
    """Whether the columns of a CSV file are separated by commas; spreadsheets use semicolons in some countries.

    Raises:
        AltTrainError: They are not, or the file cannot be read.
    """
    if path.suffix != ".csv":
        return
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            head = lines.readline().strip()
    except OSError as error:
        raise AltTrainError(f"{path} cannot be read ({error}); check the file") from None
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in head and "," not in head:
            raise AltTrainError(f"{path} separates its columns with {name} ({shown(head)}); use commas")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a CSV, JSON, JSONL or parquet file with their numbers, from 1.

    Raises:
        AltTrainError: The file cannot be read.
    """
    try:
        if path.suffix == ".jsonl":
            yield from read_jsonl(path)
        elif path.suffix == ".csv":
            # Excel begins its files with a byte order mark, which would be part of the first column's name.
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield from enumerate(csv.DictReader(lines), 1)
        elif path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            for number, row in enumerate(content if isinstance(content, list) else [content], 1):
                if not isinstance(row, dict) or not isinstance(content, list):
                    raise AltTrainError(f"{path}, row {number} is the {shown(row)}; write a list of objects")
                yield number, row
        else:
            import pyarrow.parquet as pq

            yield from enumerate(pq.read_table(path).to_pylist(), 1)
    except AltTrainError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # JSON's, Arrow's and those of decoding are ValueErrors
        raise AltTrainError(f"{path} cannot be read ({error}); check the file") from None
