"""A whole build: sources, selection, assessment in rounds, files.

1. All sources are read once, row by row; what may be used goes to a file, a few numbers of each row to memory.
2. The stratified selection is assessed; what is set aside is replaced by the next in order, until all stand.
3. The rows are written in an order that depends on the seed alone, then the variants and the report.

Answers may arrive in any order: rows are read back from the store by key, so the same seed and inputs give the same
bytes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.assessors import make_assessor
from axolotl_alttrain.data.assessors.assessment_store import AssessmentStore
from axolotl_alttrain.data.assessors.base import Assessor, Question
from axolotl_alttrain.data.build_config import BuildConfig, VariantConfig
from axolotl_alttrain.data.candidates import Candidate, CandidateFile, collect
from axolotl_alttrain.data.output.build_report import Tally, Usage, make_report
from axolotl_alttrain.data.output.exclusion_logs import LogFiles, log_files
from axolotl_alttrain.data.output.token_counts import TokenCounter, load_counter
from axolotl_alttrain.data.screening.query_screens import Checks
from axolotl_alttrain.data.screening.selection import Entry, stratified
from axolotl_alttrain.data.sources.columns import source_name
from axolotl_alttrain.data.sources.presets import PRESETS
from axolotl_alttrain.data.steps.conditional import assemble
from axolotl_alttrain.data.steps.variants import varied
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.example import LABELS, AltTrainExample
from axolotl_alttrain.storage.atomic import open_atomic, write_atomic

LOG = logging.getLogger(__name__)
Progress = Callable[[str, int, int | None], None]


def _silent(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


@dataclass
class Build:
    """One run of the builder.

    Attributes:
        config: What to build.
        folder: Where to.
        checks: Near-duplicates and overlaps with evaluation sets.
        progress: Called with stage, number done and total where known.
    """

    config: BuildConfig
    folder: Path
    checks: Checks = field(default_factory=Checks)
    progress: Progress = _silent

    def __post_init__(self) -> None:
        self.assessor: Assessor = make_assessor(self.config)
        self.counter: TokenCounter | None = load_counter(self.config.tokenizer) if self.config.tokenizer else None
        self.usage = Usage()
        self._former_reported = False

    def run(self) -> dict[str, Any]:
        """Build and write everything; return the report.

        Raises:
            AltTrainError: A source, the assessor or the tokenizer is not as it must be, or there are too few rows.
                What has been assessed is kept; the same call goes on from there.
        """
        with log_files(self.folder) as logs:
            store = AssessmentStore(self.folder / "assessments.jsonl")
            try:
                candidates = self.collect(logs, self.folder / "work" / "candidates.jsonl")
                pools = self._assess(candidates, store, logs)
                report = self._write(candidates, store, pools, logs)
            finally:
                store.close()
            candidates.close()
            candidates.path.unlink()
            candidates.path.parent.rmdir()
        write_atomic(self.folder / "report.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        return report

    def collect(self, logs: LogFiles, path: Path) -> CandidateFile:
        """Read all sources into a file of candidates."""
        read = 0

        def advance() -> None:
            nonlocal read
            read += 1
            self.progress("Reading sources", read, None)

        budget, counter = self.config.max_tokens, self.counter

        def too_long(candidate: Candidate) -> int | None:
            tokens = counter.at_least(candidate) if counter else 0
            return tokens if budget and tokens > budget else None

        return collect(
            self.config,
            self.assessor,
            path,
            logs,
            self.checks.duplicates(self.config),
            self.checks.overlap(self.config),
            too_long if budget else None,
            advance,
        )

    def chosen(self, entries: Iterable[Entry], label: str, wanted: int | None) -> list[Entry]:
        """The first so many of a label, in the stratified order."""
        order = stratified((entry for entry in entries if entry.label == label), self.config.strategy)
        return order if wanted is None else order[:wanted]

    def _assess(self, file: CandidateFile, store: AssessmentStore, logs: LogFiles) -> dict[str, list[Entry]]:
        """Assess until the pool of every label stands; return the pools in their stratified order."""
        alive = file.entries
        unlabelled = [entry for entry in alive if entry.label is None]
        if unlabelled:
            self._ask(unlabelled, file, store)
            for entry in unlabelled:
                outcome = store.get(entry.key)
                if outcome.assessment and not outcome.fault:
                    entry.label = outcome.assessment.verdict
                else:
                    self.usage.add(outcome)
                    logs.rejected(file.get(entry).trace, "assessor", str(outcome.fault))
            alive = [entry for entry in alive if entry.label is not None]
        checked: set[int] = set()
        while True:
            pools = {label: self.chosen(alive, label, self.config.wanted(label)) for label in LABELS}  # type: ignore[arg-type]
            fresh = [entry for pool in pools.values() for entry in pool if entry.offset not in checked]
            self._ask([entry for entry in fresh if entry.key], file, store)
            dropped: set[int] = set()
            for entry in fresh:
                checked.add(entry.offset)
                if entry.key:
                    self.usage.add(store.get(entry.key))
                if fault := self._fault(file.get(entry), entry, store):
                    logs.rejected(file.get(entry).trace, *fault)
                    dropped.add(entry.offset)
            if not dropped:
                break
            alive = [entry for entry in alive if entry.offset not in dropped]
        for label, pool in pools.items():
            wanted = self.config.wanted(label)  # type: ignore[arg-type]
            if wanted is not None and len(pool) < wanted:
                raise AltTrainError(
                    f"{len(pool)} {label} rows can be used, {wanted} are wanted; add a source, raise its 'limit', or "
                    f"lower '{label}' (left out: {_listed(logs)})"
                )
        return pools

    def _ask(self, entries: list[Entry], file: CandidateFile, store: AssessmentStore) -> None:
        """Have assessed what the store does not hold, each key once."""
        missing = {entry.key: entry for entry in entries if entry.key not in store}

        def questions() -> Iterator[Question]:
            for key, entry in missing.items():
                trace = file.get(entry).trace
                self._report_former(trace, store)
                yield Question(key, trace.instruction, trace.label, trace.category)

        for done, outcome in enumerate(self.assessor.assess(questions()), 1):
            store.add(outcome)
            self.progress("Assessing", done, len(missing))

    def _report_former(self, trace: Trace, store: AssessmentStore) -> None:
        """Say once that assessments whose keys name the model by path or name are not reused."""
        former = self.assessor.former_key(trace.instruction, trace.label)
        if former and former in store and not self._former_reported:
            self._former_reported = True
            LOG.warning(
                "%s: assessments of an earlier version are not reused, because their keys do not show which weights or "
                "which server they came from",
                store.path,
            )

    def _fault(self, candidate: Candidate, entry: Entry, store: AssessmentStore) -> tuple[str, str] | None:
        outcome = store.get(entry.key) if entry.key else None
        if outcome and (outcome.fault or not outcome.assessment):
            return "assessor", str(outcome.fault)
        try:
            example = self._example(candidate, entry, store)
            if self.counter:
                tokens = self.counter.parts(example)["total"]
                if self.config.max_tokens and tokens > self.config.max_tokens:
                    return "token_budget", f"{tokens} tokens"
        except RowError as error:
            return "invalid", f"{error.field}: found {error.found}"
        return None

    def _example(self, candidate: Candidate, entry: Entry, store: AssessmentStore) -> AltTrainExample:
        if candidate.example:
            return replace(candidate.example, id=f"{candidate.trace.source}-{candidate.trace.id}")
        assessment = store.get(entry.key).assessment
        assert assessment is not None
        return assemble(candidate.trace, candidate.understanding, assessment, self.config.seed)

    def _write(
        self, file: CandidateFile, store: AssessmentStore, pools: dict[str, list[Entry]], logs: LogFiles
    ) -> dict[str, Any]:
        config = self.config
        sizes = {label: None if getattr(config, label) == "all" else getattr(config, label) for label in LABELS}
        tally = self._write_rows(self.folder / "data.jsonl", _first(pools, sizes), file, store, None, logs)
        variants: dict[str, Any] = {}
        for variant in config.variants:
            own = {label: getattr(variant, label) for label in LABELS}
            wanted = {label: sizes[label] if own[label] is None else own[label] for label in LABELS}
            name = f"variants/{variant.name}.jsonl"
            made = self._write_rows(self.folder / name, _first(pools, wanted), file, store, variant, logs)
            variants[variant.name] = {
                "file": name,
                "rows": made.rows,
                "label": dict(sorted(made.counts["label"].items())),
            }
        sources = {}
        for source in config.sources:
            name = source_name(source)
            path = source.path or (PRESETS[source.preset].path if source.preset else "")
            sources[name] = {"path": path, "read": file.read[name], "candidates": file.found[name]}
        return make_report(config, self.assessor, tally, self.usage, sources, logs.reasons, logs.overlaps, variants)

    def _write_rows(
        self,
        path: Path,
        entries: list[Entry],
        file: CandidateFile,
        store: AssessmentStore,
        variant: VariantConfig | None,
        logs: LogFiles,
    ) -> Tally:
        tally = Tally()
        with open_atomic(path) as out:
            for done, entry in enumerate(sorted(entries, key=lambda entry: (entry.rank, entry.offset)), 1):
                candidate = file.get(entry)
                example = self._example(candidate, entry, store)
                if variant:
                    example = varied(example, variant, self.config.seed)
                lengths = self.counter.parts(example) if self.counter and not variant else None
                kept = candidate.example is not None
                tally.add(example, candidate.understanding.changed and not kept, kept, lengths)
                row = example.as_row() | {"assessor": self.assessor.model or self.assessor.kind}
                if candidate.example:
                    row["assessor"] = "source"
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                self.progress(f"Writing {path.name}", done, len(entries))
        return tally


def _first(pools: dict[str, list[Entry]], sizes: dict[str, int | None]) -> list[Entry]:
    return [entry for label, pool in pools.items() for entry in pool[: sizes[label]]]


def _listed(logs: LogFiles) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in sorted(logs.reasons.items())) or "nothing"
