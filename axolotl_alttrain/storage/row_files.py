"""The one reader of data files that users write: JSON Lines, JSON, CSV, TSV, Parquet, and text with a query per line.

The suffix says which, in upper or lower case, with ``.gz`` or without. Values of a CSV file stay the texts that they
are; an empty cell is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from axolotl_alttrain.errors import AltTrainError, one_line, shown
from axolotl_alttrain.storage.jsonl import parsed, read_jsonl
from axolotl_alttrain.storage.user_files import opened, text_lines, whole_text

Kind = Literal["jsonl", "json", "csv", "tsv", "parquet", "text"]
Row = dict[str, Any]
KINDS: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "text",
}

csv.field_size_limit(2**30)  # articles are longer than the default limit of a field


def kind_of(path: str | Path) -> Kind | None:
    """What a file of this name holds; None if its suffix does not tell."""
    name = Path(path).name.lower().removesuffix(".gz")
    return KINDS.get(Path(name).suffix)


def is_missing(path: str) -> bool:
    """Whether a path names a data file, by its suffix, that is not there; addresses are not looked at."""
    return kind_of(path) is not None and "://" not in path and not Path(path).exists()


def read_rows(path: Path, kind: Kind | None = None) -> Iterator[tuple[int, Row]]:
    """The rows of a file with their numbers, from 1: the line in JSONL and text, otherwise the row.

    Args:
        path: The file.
        kind: What it holds; by default, what its suffix says. A row of a text file has the column ``text``.

    Raises:
        AltTrainError: The file or a row cannot be read; the message names both.
    """
    kind = kind or kind_of(path)
    if kind is None:
        raise AltTrainError(f"{path} has the suffix '{path.suffix}'; allowed: {', '.join(KINDS)}, also with .gz")
    if kind in ("csv", "tsv"):
        check_commas(path, kind)
        yield from _csv_rows(path, "excel-tab" if kind == "tsv" else "excel")
    elif kind == "parquet":
        yield from _parquet_rows(path)
    elif kind == "text":
        yield from ((number, {"text": line.strip()}) for number, line in text_lines(path) if line.strip())
    elif _is_document(path, kind):
        yield from _json_rows(path)
    else:
        yield from read_jsonl(path)


def check_rows(path: Path, kind: Kind | None = None) -> list[str]:
    """Read a whole file.

    Returns:
        The columns of its rows.

    Raises:
        AltTrainError: As :func:`read_rows`, or the file has no rows.
    """
    columns: dict[str, None] = {}
    for _, row in read_rows(path, kind):
        columns |= dict.fromkeys(row)
    if not columns:
        raise AltTrainError(f"{path} has no rows; add at least one")
    return list(columns)


def check_commas(path: Path, kind: Kind | None = None) -> None:
    """Check that a CSV file is separated by commas; spreadsheets use semicolons in some locales.

    Raises:
        AltTrainError: It is not, or the file cannot be read.
    """
    if (kind or kind_of(path)) != "csv":
        return
    head = next((line.strip() for _, line in text_lines(path)), "")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in head and "," not in head:
            raise AltTrainError(f"{path} separates its columns with {name} ({shown(head)}); use commas")


def _csv_rows(path: Path, dialect: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader((line for _, line in text_lines(path)), dialect, strict=True)
    header = next(_csv_records(path, reader), [])
    if twice := [name for name in header if header.count(name) > 1]:
        raise AltTrainError(f"{path} has the column {shown(twice[0])} more than once; rename one of them")
    for number, cells in enumerate(_csv_records(path, reader), 1):
        if len(cells) > len(header):
            raise AltTrainError(
                f"{path}, row {number} has {len(cells)} cells, but the header has {len(header)}; put texts that "
                "contain commas in double quotes"
            )
        yield number, {name: cell or None for name, cell in zip_longest(header, cells)}


def _csv_records(path: Path, reader: Any) -> Iterator[Sequence[str]]:
    start = reader.line_num + 1
    try:
        for cells in reader:
            if cells:
                yield cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise AltTrainError(
            f"{path}: the row that starts in line {start} is not valid CSV ({error}); close every double quote, and "
            "write quotes inside a text twice"
        ) from None


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with opened(path) as file:
        try:
            for batch in pq.ParquetFile(file).iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except (pa.ArrowException, ValueError) as error:
            raise AltTrainError(f"{path} cannot be read ({one_line(error)}); check the file") from None


def _is_document(path: Path, kind: Kind) -> bool:
    """Whether a file is one JSON value; JSON Lines are also found in ``.json`` files, and lists in ``.jsonl`` files."""
    lines = (line.strip() for _, line in text_lines(path) if line.strip())
    first, second = next(lines, ""), next(lines, "")
    if kind == "jsonl":
        return first == "[" or first.startswith("[{")
    try:
        return bool(first) and not (second and isinstance(parsed(first), dict))
    except ValueError:
        return True


def _json_rows(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        content = parsed(whole_text(path))
    except ValueError as error:
        raise AltTrainError(f"{path} cannot be read ({error}); correct the JSON there") from None
    if isinstance(content, dict):  # {"behaviors": [...]}: the only list in it; without one, a file of one row
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else [content]
    if not isinstance(content, list):
        raise AltTrainError(f"{path} is the {shown(content)}; write a list of objects")
    for number, row in enumerate(content, 1):
        if not isinstance(row, dict):
            raise AltTrainError(f"{path}, row {number} is the {shown(row)}; write a list of objects")
        yield number, row
