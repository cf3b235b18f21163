"""The first pass over all sources: from rows to candidates on disk, and what speaks against the others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from axolotl_alttrain.data.assessors.base import Assessor
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.screening.overlap import Overlap
from axolotl_alttrain.data.screening.selection import Entry
from axolotl_alttrain.data.screening.trace_faults import find_fault
from axolotl_alttrain.data.seeded_draw import rank
from axolotl_alttrain.data.sources.columns import SourceRow, read_source, source_name
from axolotl_alttrain.data.steps.understanding import Understanding, understand
from axolotl_alttrain.data.traces.trace import Trace, trace_from_row
from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.rows import THINK_CLOSE, THINK_OPEN, example_from_row


class Logs(Protocol):
    """Where a build writes what it left out."""

    def rejected(self, trace: Trace, reason: str, detail: str) -> None:
        """Note a row that is not used."""

    def duplicate(self, trace: Trace, of: str) -> None:
        """Note a near-duplicate."""

    def overlap(self, trace: Trace, found: Overlap) -> None:
        """Note an overlap with an evaluation prompt."""


@dataclass(frozen=True)
class Candidate:
    """A row that may be taken.

    Attributes:
        trace: The source's trace.
        understanding: Its thought, cut after PU.
        example: The finished example, where the source holds all steps already.
    """

    trace: Trace
    understanding: Understanding
    example: AltTrainExample | None = None

    def line(self) -> str:
        """The candidate as one line of JSON."""
        row: dict[str, Any] = {"trace": self.trace.as_row(), "understanding": asdict(self.understanding)}
        if self.example:
            row["example"] = self.example.as_row()
        return json.dumps(row, ensure_ascii=False) + "\n"


@dataclass
class CandidateFile:
    """Candidates on disk, with what memory needs of each.

    Attributes:
        path: JSON lines.
        entries: One per line.
        read: Rows read, by source.
        found: Candidates, by source.
    """

    path: Path
    entries: list[Entry] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._file: Any = None

    def get(self, entry: Entry) -> Candidate:
        """The candidate of an entry."""
        if self._file is None:
            self._file = self.path.open("rb")
        self._file.seek(entry.offset)
        row = json.loads(self._file.readline())
        example = example_from_row(row["example"]) if "example" in row else None
        return Candidate(trace_from_row(row["trace"]), Understanding(**row["understanding"]), example)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def collect(
    config: BuildConfig,
    assessor: Assessor,
    path: Path,
    logs: Logs,
    duplicates: Any = None,
    overlap: Any = None,
    too_long: Callable[[Candidate], int | None] | None = None,
    advance: Callable[[], None] = lambda: None,
) -> CandidateFile:
    """Read all sources, row by row, and write what may be used.

    Args:
        config: The build's config.
        assessor: Names the assessments.
        path: The file of candidates.
        logs: Takes what is left out, with the reason.
        duplicates: A :class:`axolotl_alttrain.data.screening.duplicates.NearDuplicates`.
        overlap: A :class:`axolotl_alttrain.data.screening.overlap.EvaluationOverlap`.
        too_long: Gives a candidate's tokens where they are over the budget.
        advance: Called per row read.

    Raises:
        AltTrainError: A source cannot be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = CandidateFile(path)
    ids: set[str] = set()
    with path.open("wb") as out:
        for source in config.sources:
            name = source_name(source)
            for row in read_source(source):
                file.read[name] += 1
                advance()
                trace = row.trace
                candidate = _checked(row, logs, duplicates, overlap, too_long)
                if candidate is None:
                    continue
                full_id = f"{name}-{trace.id}"
                if full_id in ids:
                    logs.rejected(trace, "same_id", f"the id {trace.id} came before; map a column with unique ids")
                    continue
                ids.add(full_id)
                file.found[name] += 1
                file.entries.append(
                    Entry(
                        rank(config.seed, "select", full_id),
                        out.tell(),
                        "" if candidate.example else assessor.key(trace.instruction, trace.label),
                        trace.label,
                        (trace.category, trace.language),
                    )
                )
                out.write(candidate.line().encode())
    return file


def _checked(row: SourceRow, logs: Logs, duplicates: Any, overlap: Any, too_long: Any) -> Candidate | None:
    trace = row.trace
    fault = row.fault or (None if row.example else find_fault(trace))
    if fault:
        logs.rejected(trace, *fault)
        return None
    understanding = understand(trace.thought, trace.language)
    candidate = Candidate(trace, understanding, row.example)
    if fault := _fault_of_steps(candidate):
        logs.rejected(trace, *fault)
        return None
    if too_long and (tokens := too_long(candidate)):
        logs.rejected(trace, "token_budget", f"{tokens} tokens")
        return None
    if overlap is not None and (found := overlap.find(trace.instruction)):
        logs.overlap(trace, found)
        logs.rejected(trace, "overlap", "the query resembles an evaluation prompt; see overlaps.jsonl")
        return None
    if duplicates is not None and (of := duplicates.find(f"{trace.source}-{trace.id}", trace.instruction)):
        logs.duplicate(trace, of)
        logs.rejected(trace, "near_duplicate", f"of {of}")
        return None
    return candidate


def _fault_of_steps(candidate: Candidate) -> tuple[str, str] | None:
    """What would make the finished row invalid, found before anyone is asked about it."""
    if candidate.example:
        return None
    trace, understanding = candidate.trace, candidate.understanding
    if trace.label != "harmful" and not understanding.rest:
        return "no_reasoning", "nothing follows the problem understanding"
    used = [understanding.text, *([] if trace.label == "harmful" else [understanding.rest, trace.answer])]
    if any(marker in text for text in used for marker in (THINK_OPEN, THINK_CLOSE)):
        return "think_tag", "a think tag stands inside the thought or the answer"
    try:
        AltTrainExample(trace.instruction, "harmful", understanding.text, "x", "x", "x")
    except RowError as error:
        return "invalid", error.fault
    return None
