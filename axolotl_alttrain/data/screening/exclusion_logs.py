"""The log files of a build: which rows were left out, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from axolotl_alttrain.data.screening.overlap import Overlap
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.storage.atomic import open_atomic

NAMES = ("rejected", "duplicates", "overlaps")


class Rejection(NamedTuple):
    """Why a row is left out: a reason that can be counted, and a detail for people."""

    reason: str
    detail: str


class ExclusionLogs:
    """Writes ``rejected.jsonl``, ``duplicates.jsonl`` and ``overlaps.jsonl``, and counts what they hold.

    Attributes:
        reasons: Rejected rows by reason.
        overlaps: Overlapping rows by evaluation set.
    """

    def __init__(self, files: Mapping[str, TextIO]) -> None:
        self._files = files
        self.reasons: Counter[str] = Counter()
        self.overlaps: Counter[str] = Counter()

    def reject(self, trace: Trace, rejection: Rejection) -> None:
        """Log a row that is left out."""
        self.reasons[rejection.reason] += 1
        self._write("rejected", trace, **rejection._asdict(), instruction=trace.instruction)

    def duplicate(self, trace: Trace, earlier: str) -> None:
        """Log a near-duplicate of an earlier row, named by its ID."""
        self._write("duplicates", trace, of=earlier)
        self.reject(trace, Rejection("near_duplicate", f"of {earlier}"))

    def overlap(self, trace: Trace, found: Overlap) -> None:
        """Log a query that resembles an evaluation prompt."""
        self.overlaps[found.set] += 1
        prompt: dict[str, str | float] = {"set": found.set, "prompt_id": found.id, "prompt": found.prompt}
        alike: dict[str, str | float] = {"kind": found.kind, "similarity": found.similarity}
        self._write("overlaps", trace, instruction=trace.instruction, **prompt, **alike)
        self.reject(trace, Rejection("overlap", "the query resembles an evaluation prompt; see overlaps.jsonl"))

    def summary(self) -> str:
        """The reasons with their counts, in one line."""
        return ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items())) or "nothing"

    def _write(self, name: str, trace: Trace, **columns: str | float) -> None:
        if name in self._files:
            row = {"id": trace.id, "source": trace.source, **columns}
            self._files[name].write(json.dumps(row, ensure_ascii=False) + "\n")


@contextmanager
def exclusion_logs(folder: Path | None) -> Iterator[ExclusionLogs]:
    """The logs of a build. The files replace earlier ones only if the build succeeds; without a folder, only count."""
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        if folder:
            files = {name: stack.enter_context(open_atomic(folder / f"{name}.jsonl")) for name in NAMES}
        yield ExclusionLogs(files)
