"""What the steps of a build share: config, assessor, tokenizer, candidates, assessments and logs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from axolotl_alttrain.data.assessors import make_assessor
from axolotl_alttrain.data.assessors.assessment_store import AssessmentStore
from axolotl_alttrain.data.assessors.base import Assessor, Outcome
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.candidates import Candidate, CandidateFile
from axolotl_alttrain.data.screening.exclusion_logs import ExclusionLogs, Rejection, exclusion_logs
from axolotl_alttrain.data.screening.selection import Entry
from axolotl_alttrain.data.steps.assembly import assemble
from axolotl_alttrain.data.token_counts import TokenCounter, load_counter
from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample

Progress = Callable[[str, int, int | None], None]
"""Called with a stage, the number done, and the total if it is known."""


@dataclass
class Usage:
    """What assessment took, summed over the outcomes that the build used."""

    keys: set[str] = field(default_factory=set)
    assessed: int = 0
    set_aside: int = 0
    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; rows with the same query share it."""
        if outcome.key in self.keys:
            return
        self.keys.add(outcome.key)
        self.assessed += 1
        self.set_aside += outcome.fault is not None
        self.attempts += outcome.attempts
        self.prompt_tokens += outcome.prompt_tokens
        self.completion_tokens += outcome.completion_tokens


@dataclass
class BuildContext:
    """The state of one build.

    Attributes:
        config: What to build.
        assessor: Assesses queries.
        counter: Counts tokens, if the config names a tokenizer.
        candidates: The rows that passed all checks before assessment.
        store: Holds the assessments, including those of earlier runs.
        logs: Receives the rows that are left out.
        progress: Called while rows are read, assessed and written.
        usage: What assessment took so far.
        former_keys_found: Whether the store holds an assessment under a key of an earlier version.
    """

    config: BuildConfig
    assessor: Assessor
    counter: TokenCounter | None
    candidates: CandidateFile
    store: AssessmentStore
    logs: ExclusionLogs
    progress: Progress
    usage: Usage = field(default_factory=Usage)
    former_keys_found: bool = False

    def example(self, candidate: Candidate, entry: Entry) -> AltTrainExample:
        """The finished example of an assessed candidate.

        Raises:
            RowError: A part of it would be empty.
        """
        if candidate.example:
            return replace(candidate.example, id=candidate.id)
        assessment = self.store.get(entry.key).assessment
        assert assessment is not None
        return assemble(candidate.trace, candidate.understanding, assessment, self.config.seed)

    def lengths(self, example: AltTrainExample) -> dict[str, int]:
        """Tokens of each part of an example; empty without a tokenizer."""
        return self.counter.parts(example) if self.counter else {}

    def over_budget(self, tokens: int) -> Rejection | None:
        """The rejection of a row with this many tokens; None if it is within the budget."""
        limit = self.config.max_tokens
        return Rejection("token_budget", f"{tokens} tokens") if limit and tokens > limit else None

    def fault(self, candidate: Candidate, entry: Entry) -> Rejection | None:
        """Why an assessed candidate cannot be used; None if it can."""
        outcome = self.store.get(entry.key) if entry.key else None
        if outcome and (outcome.fault or not outcome.assessment):
            return Rejection("assessor", str(outcome.fault))
        try:
            return self.over_budget(self.lengths(self.example(candidate, entry)).get("total", 0))
        except RowError as error:
            return Rejection("invalid", f"{error.field}: found {error.found}")


@contextmanager
def build_context(
    config: BuildConfig, folder: Path, progress: Progress, dry_run: bool = False
) -> Iterator[BuildContext]:
    """Load what a build needs and open its files; a dry run writes nothing to the folder.

    Raises:
        AltTrainError: The tokenizer or the assessor's model cannot be found, or the stored assessments cannot be read
            or are being written by another build.
    """
    assessor = make_assessor(config)
    counter = load_counter(config.tokenizer) if config.tokenizer else None
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory())) if dry_run else folder
        logs = stack.enter_context(exclusion_logs(None if dry_run else folder))
        store = stack.enter_context(AssessmentStore(folder / "assessments.jsonl", read_only=dry_run))
        candidates = stack.enter_context(CandidateFile(work / "work" / "candidates.jsonl"))
        yield BuildContext(config, assessor, counter, candidates, store, logs, progress)
