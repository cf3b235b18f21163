"""What a build would ask and cost, without asking anything."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from axolotl_alttrain.data.assessment_rounds import select_pools
from axolotl_alttrain.data.assessors.base import Dialogue, Question
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.build_context import BuildContext, Progress, build_context
from axolotl_alttrain.data.collection import collect
from axolotl_alttrain.data.output.tally import cost_usd
from axolotl_alttrain.data.screening.selection import Entry
from axolotl_alttrain.format.example import LABELS

CHARS_PER_TOKEN = 4  # of English under common tokenizers; used if the config names no tokenizer
_REPLY_TOKENS, _REFUSAL_TOKENS = 50, 70  # a verdict with one sentence as JSON; a stop statement and a refusal


@dataclass(frozen=True)
class Estimate:
    """The numbers of a dry run.

    Attributes:
        candidates: Usable rows, by label.
        wanted: Rows that the build takes, by label.
        rejected: Rows left out, by reason.
        stored: Assessments that are already stored.
        queries: Queries that would be asked if every verdict agreed at the first attempt.
        prompt_tokens, completion_tokens: Estimated tokens of these queries.
        cost_usd: None if the config names no prices.
    """

    candidates: dict[str, int]
    wanted: dict[str, int]
    rejected: dict[str, int]
    stored: int
    queries: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


def estimate(config: BuildConfig, folder: Path, progress: Progress = lambda stage, done, total: None) -> Estimate:
    """Read the sources, select, and count what would be asked; nothing is written to the folder.

    Args:
        config: What to build.
        folder: The build's folder. Assessments that it already holds are not counted again.
        progress: As for :func:`axolotl_alttrain.data.build.build`.

    Raises:
        AltTrainError: A source or the tokenizer cannot be read.
    """
    with build_context(config, folder, progress, dry_run=True) as context:
        collect(context)
        entries, store = context.candidates.entries, context.store
        unlabelled = [entry for entry in entries if entry.label is None]
        pools = select_pools(context, entries)
        keyed = [entry for entry in chain(unlabelled, *pools.values()) if entry.key]
        missing = {entry.key: entry for entry in keyed if entry.key not in store}
        prompt, completion = _tokens(context, missing)
        counts = {str(label): sum(entry.label == label for entry in entries) for label in LABELS}
        return Estimate(
            candidates=counts | ({"unlabelled": len(unlabelled)} if unlabelled else {}),
            wanted={label: len(pool) for label, pool in pools.items()},
            rejected=dict(sorted(context.logs.reasons.items())),
            stored=sum(entry.key in store for entry in keyed),
            queries=len(missing),
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost_usd=cost_usd(config.assessor, prompt, completion),
        )


def _tokens(context: BuildContext, entries: dict[str, Entry]) -> tuple[int, int]:
    """Tokens sent and received if each entry is asked about once."""
    if context.config.assessor.kind == "offline":
        return 0, 0
    with_refusal = context.config.refusals == "assessor"
    prompt = completion = 0
    for key, entry in entries.items():
        query = context.candidates.get(entry).trace.instruction
        messages = Dialogue(Question(key, query), 1, with_refusal).messages
        text = "\n".join(message["content"] for message in messages)
        prompt += context.counter.of_text(text) if context.counter else len(text) // CHARS_PER_TOKEN + 1
        completion += _REPLY_TOKENS + (_REFUSAL_TOKENS if with_refusal and entry.label != "benign" else 0)
    return prompt, completion
