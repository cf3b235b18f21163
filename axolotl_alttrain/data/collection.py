"""The first pass over all sources: rows that may be used become candidates, the others are logged with a reason."""

from __future__ import annotations

from axolotl_alttrain.data.build_context import BuildContext
from axolotl_alttrain.data.candidates import Candidate
from axolotl_alttrain.data.screening.duplicates import NearDuplicates
from axolotl_alttrain.data.screening.evaluation_prompts import prompts_to_avoid
from axolotl_alttrain.data.screening.exclusion_logs import Rejection
from axolotl_alttrain.data.screening.overlap import EvaluationOverlap
from axolotl_alttrain.data.screening.trace_faults import find_fault
from axolotl_alttrain.data.seeded_draw import rank
from axolotl_alttrain.data.sources.columns import SourceRow, read_source, source_name
from axolotl_alttrain.data.steps.understanding import understand
from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.reading.texts_in_prompt import leaves
from axolotl_alttrain.format.think_tags import find_tag


def collect(context: BuildContext) -> None:
    """Read all sources row by row; what may be used goes to the candidates, the rest to the logs.

    Raises:
        AltTrainError: A source or an evaluation set cannot be read.
    """
    screen = RowScreen(context)
    candidates, ids = context.candidates, set()
    for source in context.config.sources:
        for row in read_source(source):
            candidates.read[source_name(source)] += 1
            context.progress("Reading sources", candidates.read.total(), None)
            candidate = screen.candidate(row)
            if candidate is None:
                continue
            if candidate.id in ids:
                detail = f"the id {row.trace.id} came before; map a column with unique ids"
                context.logs.reject(row.trace, Rejection("same_id", detail))
                continue
            ids.add(candidate.id)
            key = "" if candidate.example else context.assessor.key(row.trace.instruction, row.trace.label)
            candidates.add(candidate, rank(context.config.seed, "select", candidate.id), key)


class RowScreen:
    """Decides for each row in turn whether it may be used.

    Args:
        context: Its config says which checks are made; its logs receive the rows that fail one.
    """

    def __init__(self, context: BuildContext) -> None:
        config = context.config
        self._context, self._logs = context, context.logs
        self._duplicates = NearDuplicates(config.near_duplicates) if config.near_duplicates is not None else None
        self._overlap = EvaluationOverlap(prompts_to_avoid(config)) if config.overlap else None

    def candidate(self, row: SourceRow) -> Candidate | None:
        """The row as a candidate; None, with an entry in the logs, if it fails a check."""
        trace = row.trace
        if fault := row.fault or (None if row.example else find_fault(trace)):
            self._logs.reject(trace, fault)
            return None
        candidate = Candidate(trace, understand(trace.thought, trace.language), row.example)
        if fault := _fault_of_steps(candidate) or self._over_budget(candidate):
            self._logs.reject(trace, fault)
        elif self._overlap and (found := self._overlap.find(_prompt_text(row))):
            self._logs.overlap(trace, found)
        elif self._duplicates is not None and (earlier := self._duplicates.find(candidate.id, _prompt_text(row))):
            self._logs.duplicate(trace, earlier)
        else:
            return candidate
        return None

    def _over_budget(self, candidate: Candidate) -> Rejection | None:
        counter = self._context.counter
        if not self._context.config.max_tokens or not counter:
            return None
        return self._context.over_budget(counter.at_least(candidate))


def _prompt_text(row: SourceRow) -> str:
    """The query, or all texts of a longer prompt: rows with different system prompts are no duplicates."""
    example = row.example
    if example is None or (isinstance(example.instruction, str) and not example.tools):
        return row.trace.instruction
    return "\n\n".join(text for _, text in leaves([*(m.get("content") for m in example.messages), *example.tools], ""))


def _fault_of_steps(candidate: Candidate) -> Rejection | None:
    """What would make the finished row invalid, found before the query is assessed."""
    if candidate.example:
        return None
    trace, understanding = candidate.trace, candidate.understanding
    if trace.label != "harmful" and not understanding.rest:
        return Rejection("no_reasoning", "nothing follows the problem understanding")
    used = [understanding.text, *([] if trace.label == "harmful" else [understanding.rest, trace.answer])]
    if any(find_tag(text) for text in used):
        return Rejection("think_tag", "the thought or the answer contains a think tag")
    try:
        AltTrainExample(trace.instruction, "harmful", understanding.text, "x", "x", "x")
    except RowError as error:
        return Rejection("invalid", error.fault)
    return None
