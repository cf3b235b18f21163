"""Rows through the training strategy, and files through every reader of user files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from axolotl_alttrain.storage.row_files import kind_of, read_rows
from benchmarks.bad_input.checks import Tally, hold
from benchmarks.bad_input.mutations import ROWS, TRACE, bad_bytes, bad_row, jsonl, mutated

Tokenize = Callable[[Mapping[str, list[Any]], list[int]], Mapping[str, Any]]
_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".parquet", ".JSONL", ".jsonl.gz", ".csv.gz", ".dat", "")
_FLAT = [{name: str(value) for name, value in row.items() if isinstance(value, str)} for row in (*ROWS, TRACE)]


def try_rows(tally: Tally, seed: int, number: int, tokenize: Tokenize) -> None:
    """Read and tokenize mutated rows, as training does.

    Args:
        tally: Where to count.
        seed: Of all mutations.
        number: How many.
        tokenize: ``tokenize_prompt`` of a strategy for the file ``rows.jsonl``.
    """
    for index in range(1, number + 1):
        row = bad_row(Random(f"{seed} row {index}"))

        def call(row: dict[str, Any] = row, index: int = index) -> str | None:
            found = tokenize({name: [value] for name, value in row.items()}, [index - 1])
            if not found["input_ids"]:
                return "skipped"
            trained = [sum(label != -100 for label in labels) for labels in found["labels"]]
            return None if all(trained) else "a row without a trained token"

        hold(tally, index, call, (f"rows.jsonl, row {index}",))


def try_files(tally: Tally, seed: int, number: int, folder: Path) -> None:
    """Read mutated files with each reader in turn."""
    readers = list(_readers())
    for index in range(number):
        rng = Random(f"{seed} file {index}")
        path = folder / f"f{index}{rng.choice(_SUFFIXES)}"
        path.write_bytes(_content(rng, path))
        read = readers[index % len(readers)]
        hold(tally, index, partial(read, path), (path.name,))
        path.unlink()


def _content(rng: Random, path: Path) -> bytes:
    """The bytes of a file, mostly of the kind that its name says, with up to two changes."""
    suffix = rng.choice((kind_of(path), "jsonl", "json", "csv"))
    rows = [rng.choice((row, mutated(rng, row))) for row in rng.choices((*ROWS, TRACE), k=rng.randint(0, 6))]
    if suffix in ("csv", "tsv"):
        text = io.StringIO()
        names = list(dict.fromkeys(name for row in _FLAT for name in row))
        writer = csv.DictWriter(text, names, dialect="excel-tab" if suffix == "tsv" else "excel")
        writer.writeheader()
        writer.writerows(rng.choices(_FLAT, k=rng.randint(0, 6)))
        content = text.getvalue().encode()
    elif suffix == "json":
        content = json.dumps(rng.choice((rows, {"rows": rows}, {"a": 1})), indent=rng.choice((None, 1))).encode()
    elif suffix == "parquet":
        content = _parquet(rng.choices(_FLAT, k=3))
    else:
        content = jsonl([row for row in rows if isinstance(row, dict)])
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        content = bad_bytes(rng, content)
    return content


def _parquet(rows: list[dict[str, str]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def _readers() -> Iterator[Callable[[Path], str | None]]:
    from axolotl_alttrain.eval.completions.transcripts import read_transcripts

    from axolotl_alttrain.data.build_config import ColumnMap, SourceConfig
    from axolotl_alttrain.data.screening.evaluation_prompts import prompts_of
    from axolotl_alttrain.data.sources.columns import read_source
    from axolotl_alttrain.data.sources.entry_files import check_files
    from axolotl_alttrain.data.traces.queries import Query, read_queries
    from axolotl_alttrain.format.rows import read_examples

    def plain(path: Path) -> str | None:
        rows = list(read_rows(path))
        if kind_of(path) != "jsonl" or path.suffix.lower() == ".gz":
            return None
        lines = sum(bool(line.strip()) for line in path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"))
        whole = path.read_bytes().lstrip(b"\xef\xbb\xbf \r\n").startswith(b"[")
        return None if whole or len(rows) == lines else f"{lines} lines gave {len(rows)} rows"

    def traces(path: Path) -> None:
        list(read_source(SourceConfig(preset="traces", path=str(path))))

    def mapped(path: Path) -> None:
        list(read_source(SourceConfig(path=str(path), columns=ColumnMap(response="response", label="label"))))

    def finished(path: Path) -> None:
        list(read_source(SourceConfig(preset="alttrain-seed", path=str(path))))

    def entry(path: Path) -> None:
        check_files({"path": str(path), "type": "alttrain"})

    def queries(path: Path) -> list[Query]:
        return read_queries(str(path))

    yield plain
    yield traces
    yield mapped
    yield finished
    yield entry
    for read in (queries, prompts_of, read_transcripts, read_examples):
        yield partial(_all, read)


def _all(read: Callable[[Path], Iterable[object]], path: Path) -> None:
    list(read(path))
