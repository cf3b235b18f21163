"""Queries to sample traces for: a data file, a text file with one query per line, or the seed data's benign rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, RowError, described
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.builtin import BUILTIN_DATASETS, resolve_dataset
from axolotl_alttrain.storage.row_files import kind_of, read_rows


@dataclass(frozen=True)
class Query:
    """One query.

    Attributes:
        id: Unique among the queries.
        text: The user turn.
        category, language: As in the file, if it names them.
    """

    id: str
    text: str
    category: str | None = None
    language: str | None = None


def read_queries(path: str, column: str = "instruction") -> list[Query]:
    """Read queries. A row's ``label``, if it has one, must be ``benign``: training follows these traces.

    Args:
        path: A dataset that ships (its benign rows), a data file (JSONL, JSON, CSV, TSV, Parquet), or any other text
            file.
        column: Column of a data file with the query.

    Raises:
        AltTrainError: The file cannot be read, contains no query, or contains an id twice.
        RowError: A query is not a text, or its row is not benign.
    """
    file = Path(resolve_dataset(path))
    kind = kind_of(file) or "text"
    column = "text" if kind == "text" else column
    rows = read_rows(file, kind)
    if path in BUILTIN_DATASETS:  # conversations are left out: their history is part of the query
        rows = (
            (number, row) for number, row in rows if row.get("label") == "benign" and isinstance(row.get(column), str)
        )
    queries = [_query(row, number, column, str(file)) for number, row in rows]
    if not queries:
        raise AltTrainError(f"{path} has no queries; write at least one")
    if twice := [name for name, number in Counter(query.id for query in queries).items() if number > 1]:
        raise AltTrainError(f"{path} has the id {min(twice)!r} more than once; give each query an id of its own")
    return queries


def _query(row: dict[str, Any], number: int, column: str, file: str) -> Query:
    text, label = row.get(column), row.get("label")
    try:
        if not isinstance(text, str) or not text.strip():
            raise RowError(column, described(text), "write a string, or name another column with --column")
        if label not in (None, "benign"):
            raise RowError("label", described(label), "set it to 'benign' or leave it out")
    except RowError as error:
        raise row_error(error, row, file, number) from None
    known = {name: row.get(name) for name in ("category", "language")}
    texts = {name: value for name, value in known.items() if isinstance(value, str)}
    return Query(str(number if row.get("id") is None else row["id"]), text.strip(), **texts)
