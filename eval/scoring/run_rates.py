"""The rates of one run: every metric with its interval, by category too, and the tokens per query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from axolotl_alttrain.eval.scoring.metrics import METRICS, OUTCOMES, SAFETY_KINDS, Metric, Scored, share
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate


@dataclass(frozen=True)
class TokenMeans:
    """Mean tokens per query of one kind of prompt: of the thought, of the answer, and generated in total."""

    thought: float
    answer: float
    total: float


@dataclass(frozen=True)
class RunRates:
    """The rates of one run.

    Attributes:
        metrics: By metric.
        tokens: By kind of prompt.
        by_category: By outcome and category of the prompt.
    """

    metrics: dict[str, Rate]
    tokens: dict[str, TokenMeans]
    by_category: dict[str, dict[str, Rate]]


def run_rates(scored: Iterable[Scored]) -> RunRates:
    """Every metric of one run with its interval, rates by category, and tokens per query."""
    scored = list(scored)
    of_kind = {kind: [s for s in scored if s.prompt.kind == kind] for kind in (*SAFETY_KINDS, "capability")}
    metrics = {m.name: share((s for s in scored if m.covers(s)), m.counts) for m in METRICS}
    tokens: dict[str, TokenMeans] = {
        kind: TokenMeans(
            thought=fmean(s.thought_tokens for s in some),
            answer=fmean(s.answer_tokens for s in some),
            total=fmean(s.sample.tokens for s in some),
        )
        for kind, some in of_kind.items()
        if some
    }
    return RunRates(metrics, tokens, {m.name: found for m in OUTCOMES if (found := _by_category(scored, m))})


def _by_category(scored: Sequence[Scored], metric: Metric) -> dict[str, Rate]:
    some = [s for s in scored if metric.applies(s.prompt)]
    categories = sorted({s.prompt.category for s in some})
    return {name: share((s for s in some if s.prompt.category == name), metric.counts) for name in categories}
