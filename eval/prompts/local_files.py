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
        raise AltTrainError(f"{path} cannot be read ({error}); check the file") from None
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in head and "," not in head:
            raise AltTrainError(f"{path} separates its columns with {name} ({shown(head)}); use commas")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a CSV, TSV, JSON, JSONL or Parquet file with their numbers, from 1.

    Raises:
        AltTrainError: The file cannot be read.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".jsonl":
            yield from read_jsonl(path)
        elif kind in (".csv", ".tsv"):
            # Excel writes a byte order mark, which would become part of the name of the first column.
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield from enumerate(csv.DictReader(lines, dialect="excel-tab" if kind == ".tsv" else "excel"), 1)
        elif kind == ".json":
            yield from _json_rows(path)
        else:
            import pyarrow.parquet as pq

            yield from enumerate(pq.read_table(path).to_pylist(), 1)
    except AltTrainError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # JSON's, Arrow's and those of decoding are ValueErrors
        raise AltTrainError(f"{path} cannot be read ({error}); check the file") from None


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(content, dict):  # {"behaviors": [...]}: the only list in it
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else content
    for number, row in enumerate(content if isinstance(content, list) else [content], 1):
        if not isinstance(row, dict) or not isinstance(content, list):
            raise AltTrainError(f"{path}, row {number} is the {shown(row)}; write a list of objects")
        yield number, row
