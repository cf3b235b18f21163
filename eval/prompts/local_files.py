"""The publisher's files of a set in ``--data-dir``: CSV, JSON, JSONL and Parquet."""

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

csv.field_size_limit(2**30)  # articles are longer than the default limit of a field


def local_files(spec: SetSpec, data_dir: Path | None) -> list[Path]:
    """The files of a set in ``data_dir``; empty if there are none."""
    return sorted(data_dir.glob(spec.file)) if data_dir else []


def files_digest(paths: Sequence[Path]) -> str:
    """An identifier of local files: a hash of their names and content."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"sha256:{digest.hexdigest()[:16]}"


def check_commas(path: Path) -> None:
    """Check that a CSV file is separated by commas; spreadsheets use semicolons in some locales.

    Raises:
        AltTrainError: It is not, or the file cannot be read.
    """
    if path.suffix != ".csv":
        return
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            head = lines.readline().strip()
    except OSError as error:
        raise AltTrainError(f"{path}: cannot be read ({error})") from None
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in head and "," not in head:
            raise AltTrainError(f"{path}: found columns separated by {name} ({shown(head)}); allowed: commas")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a CSV, JSON, JSONL or Parquet file with their numbers, from 1.

    Raises:
        AltTrainError: The file cannot be read.
    """
    try:
        if path.suffix == ".jsonl":
            yield from read_jsonl(path)
        elif path.suffix == ".csv":
            # Excel writes a byte order mark, which would become part of the name of the first column.
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield from enumerate(csv.DictReader(lines), 1)
        elif path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            for number, row in enumerate(content if isinstance(content, list) else [content], 1):
                if not isinstance(row, dict) or not isinstance(content, list):
                    raise AltTrainError(f"{path}, row {number}: found {shown(row)}; allowed: a list of objects")
                yield number, row
        else:
            import pyarrow.parquet as pq

            yield from enumerate(pq.read_table(path).to_pylist(), 1)
    except AltTrainError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # errors of JSON, Arrow and decoding are ValueErrors
        raise AltTrainError(f"{path}: cannot be read ({error})") from None
