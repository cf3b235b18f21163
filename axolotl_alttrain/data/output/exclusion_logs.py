"""The files that say what a build left out and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from axolotl_alttrain.data.screening.overlap import Overlap
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.storage.atomic import open_atomic

NAMES = ("rejected", "duplicates", "overlaps")


class LogFiles:
    """Writes ``rejected.jsonl``, ``duplicates.jsonl`` and ``overlaps.jsonl``, and counts.

    Attributes:
        reasons: Rejected rows by reason.
        overlaps: Overlapping rows by evaluation set.
    """

    def __init__(self, files: dict[str, TextIO] | None) -> None:
        self._files = files
        self.reasons: Counter[str] = Counter()
        self.overlaps: Counter[str] = Counter()

    def _write(self, name: str, row: dict[str, Any]) -> None:
        if self._files:
            self._files[name].write(json.dumps(row, ensure_ascii=False) + "\n")

    def rejected(self, trace: Trace, reason: str, detail: str) -> None:
        """Note a row that is not used."""
        self.reasons[reason] += 1
        row = {"id": trace.id, "source": trace.source, "reason": reason, "detail": detail}
        self._write("rejected", row | {"instruction": trace.instruction})

    def duplicate(self, trace: Trace, of: str) -> None:
        """Note a near-duplicate."""
        self._write("duplicates", {"id": trace.id, "source": trace.source, "of": of})

    def overlap(self, trace: Trace, found: Overlap) -> None:
        """Note an overlap with an evaluation prompt."""
        self.overlaps[found.set] += 1
        row = {"id": trace.id, "source": trace.source, "instruction": trace.instruction}
        pair = {"set": found.set, "prompt_id": found.id, "prompt": found.prompt, "kind": found.kind}
        self._write("overlaps", row | pair | {"similarity": found.similarity})


@contextmanager
def log_files(folder: Path | None) -> Iterator[LogFiles]:
    """The log files of a build, which take their places once all went well; without a folder all is only counted."""
    if folder is None:
        yield LogFiles(None)
        return
    with ExitStack() as stack:
        yield LogFiles({name: stack.enter_context(open_atomic(folder / f"{name}.jsonl")) for name in NAMES})
