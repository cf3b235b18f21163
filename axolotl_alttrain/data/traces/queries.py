"""Queries to sample traces for: a JSONL file, a text file with one query per line, or the seed data's benign rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError, RowError, described
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.builtin import BUILTIN_DATASETS, resolve_dataset
from axolotl_alttrain.storage.jsonl import read_jsonl


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
        path: A dataset that ships (its benign rows), a ``.jsonl`` file, or any other text file.
        column: Column of the JSONL file with the query.

    Raises:
        AltTrainError: The file cannot be read, contains no query, or contains an id twice.
        RowError: A query is not a text, or its row is not benign.
    """
    file = Path(resolve_dataset(path))
    if file.suffix == ".jsonl":
        queries = _from_jsonl(file, column, seed=path in BUILTIN_DATASETS)
    else:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise AltTrainError(
                f"{path} cannot be read as UTF-8 text ({error}); check the path and the encoding"
            ) from None
        queries = [Query(str(number), line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not queries:
        raise AltTrainError(f"{path} has no queries; write at least one")
    if twice := [name for name, number in Counter(query.id for query in queries).items() if number > 1]:
        raise AltTrainError(f"{path} has the id {min(twice)!r} more than once; give each query an id of its own")
    return queries


def _from_jsonl(file: Path, column: str, seed: bool) -> list[Query]:
    queries = []
    for number, row in read_jsonl(file):
        text, label = row.get(column), row.get("label")
        if seed and (label != "benign" or not isinstance(text, str)):
            continue  # also skips conversations: their history is part of the query
        try:
            if not isinstance(text, str) or not text.strip():
                raise RowError(column, described(text), "write a text, or name another column with --column")
            if label not in (None, "benign"):
                raise RowError("label", described(label), "set it to 'benign' or leave it out")
        except RowError as error:
            raise row_error(error, row, str(file), number) from None
        known = {name: row.get(name) for name in ("category", "language")}
        texts = {name: value for name, value in known.items() if isinstance(value, str)}
        queries.append(Query(str(row.get("id", number)), text.strip(), **texts))
    return queries
