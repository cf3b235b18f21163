"""Candidates: rows that passed all checks before assessment. They are kept on disk; memory holds an entry for each."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from axolotl_alttrain.data.screening.selection import Entry
from axolotl_alttrain.data.steps.understanding import Understanding
from axolotl_alttrain.data.traces.trace import Trace, trace_from_row
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.rows import example_from_row
from axolotl_alttrain.storage.write_errors import write_errors


@dataclass(frozen=True)
class Candidate:
    """A row that may be selected.

    Attributes:
        trace: The trace from the source.
        understanding: Its thought, split after PU.
        example: The finished example, if the source already has all steps.
    """

    trace: Trace
    understanding: Understanding
    example: AltTrainExample | None = None

    @property
    def id(self) -> str:
        """An ID that is unique among all sources."""
        return f"{self.trace.source}-{self.trace.id}"

    def as_row(self) -> dict[str, Any]:
        """The candidate as one JSON object."""
        row: dict[str, Any] = {"trace": self.trace.as_row(), "understanding": asdict(self.understanding)}
        return row | ({"example": self.example.as_row()} if self.example else {})


class CandidateFile:
    """A temporary JSONL file of candidates, deleted with its folder at the end of the ``with`` block.

    Args:
        path: A file in a folder of its own; an earlier file is overwritten.

    Attributes:
        entries: One for each line.
        read: Rows read, by source.
        found: Candidates, by source.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.read: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w+b")

    def add(self, candidate: Candidate, rank: int, key: str) -> None:
        """Append a candidate.

        Args:
            candidate: The candidate.
            rank: Its place by seed.
            key: Key of its assessment; empty if it needs none.
        """
        trace = candidate.trace
        self.found[trace.source] += 1
        self.entries.append(Entry(rank, self._file.tell(), key, trace.label, (trace.category, trace.language)))
        with write_errors(self.path):
            self._file.write(json.dumps(candidate.as_row(), ensure_ascii=False).encode() + b"\n")

    def get(self, entry: Entry) -> Candidate:
        """The candidate of an entry; nothing can be added afterwards."""
        with write_errors(self.path):  # what is still in memory is written first
            self._file.seek(entry.offset)
        row = json.loads(self._file.readline())
        example = example_from_row(row["example"]) if "example" in row else None
        return Candidate(trace_from_row(row["trace"]), Understanding(**row["understanding"]), example)

    def __enter__(self) -> CandidateFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with write_errors(self.path):
                self._file.close()
        finally:
            self.path.unlink()
            with suppress(OSError):  # a folder of this name that holds other files stays
                self.path.parent.rmdir()
