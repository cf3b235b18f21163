"""Assessments on disk: each is appended at once, so that an interrupted build asks only for what is missing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessment, Outcome
from axolotl_alttrain.storage.append_only import AppendOnly


class AssessmentStore(AppendOnly):
    """The file ``assessments.jsonl``. Memory holds only where each key's line begins.

    Args:
        path: The file.
        read_only: For a dry run: nothing is created, repaired or locked.

    Raises:
        AltTrainError: A line is not an assessment, or another build writes to the file.
    """

    durable = False  # the offline assessor answers thousands of queries a second

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self._offsets: dict[bytes, int] = {}
        super().__init__(path, read_only)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line of the file."""
        self._offsets[bytes.fromhex(row["key"])] = offset

    def __contains__(self, key: str) -> bool:
        return bytes.fromhex(key) in self._offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, outcome: Outcome) -> None:
        """Append one outcome. A key that is already there keeps its first outcome."""
        if outcome.key in self:
            return
        row = asdict(outcome) | {"assessment": None}
        if outcome.assessment:
            row["assessment"] = outcome.assessment.model_dump(exclude_none=True)
        self._offsets[bytes.fromhex(outcome.key)] = self.write(row)

    def get(self, key: str) -> Outcome:
        """The outcome of a key.

        Raises:
            KeyError: There is none.
        """
        row = self.line_at(self._offsets[bytes.fromhex(key)])
        if row["assessment"]:
            row["assessment"] = Assessment.model_validate(row["assessment"])
        return Outcome(**row)
