"""Assessments on disk: each is appended at once, so that an interrupted build asks only for what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessment, Outcome
from axolotl_alttrain.errors import AltTrainError


class AssessmentStore:
    """The file ``assessments.jsonl``; in memory only where each key's line begins.

    Args:
        path: The file; what a killed process left half-written at its end is cut off.

    Raises:
        AltTrainError: The file holds a line that is no assessment.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self._offsets: dict[bytes, int] = {}
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        for offset, line in _lines(path):
            if not line.endswith(b"\n"):
                if not read_only:
                    os.truncate(path, offset)
                break
            try:
                self._offsets[bytes.fromhex(json.loads(line)["key"])] = offset
            except (ValueError, KeyError, TypeError):
                raise AltTrainError(
                    f"{path} has a damaged line ({line[:50]!r}); delete the line, and its query is assessed again"
                ) from None
        self._file = None if read_only else path.open("ab")

    def __contains__(self, key: str) -> bool:
        return bytes.fromhex(key) in self._offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, outcome: Outcome) -> None:
        """Append one outcome; a key that is there already is left as it is."""
        if outcome.key in self or self._file is None:
            return
        row = asdict(outcome) | {"assessment": None}
        if outcome.assessment:
            row["assessment"] = outcome.assessment.model_dump(exclude_none=True)
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()  # the operating system has it now, and a killed process loses nothing
        self._offsets[bytes.fromhex(outcome.key)] = offset

    def get(self, key: str) -> Outcome:
        """The outcome of a key.

        Raises:
            KeyError: There is none.
        """
        with self.path.open("rb") as file:
            file.seek(self._offsets[bytes.fromhex(key)])
            row: dict[str, Any] = json.loads(file.readline())
        if row["assessment"]:
            row["assessment"] = Assessment.model_validate(row["assessment"])
        return Outcome(**row)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    if not path.is_file():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield offset, line
            offset += len(line)
