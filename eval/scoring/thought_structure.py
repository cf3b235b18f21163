"""The structure of a run's thoughts, and the lengths of thoughts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.stats.clusters import rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate

from axolotl_alttrain.format.verdict.reader import declares_verdict


@dataclass(frozen=True)
class Spread:
    """Mean, median and 95th percentile."""

    mean: float
    median: float
    p95: float


@dataclass(frozen=True)
class PartSpreads:
    """Tokens of thoughts and of answers."""

    thought: Spread
    answer: Spread


@dataclass(frozen=True)
class ThoughtStructure:
    """The structure of the thoughts over harmful and benign prompts.

    Attributes:
        steps: Share of thoughts with each step, in order: the second step declares a verdict, the third needs both.
        changed: Share of thoughts that state both verdicts.
        sources: Number of thoughts read by steps and read freely.
        verdict_position: Where the first verdict begins, as a share of the thought; None where no thought has one.
    """

    steps: dict[str, Rate]
    changed: Rate
    sources: dict[str, int]
    verdict_position: Spread | None


def lengths(scored: Iterable[Scored]) -> dict[str, PartSpreads]:
    """Tokens of thoughts and answers by kind of prompt."""
    scored = list(scored)
    return {
        kind: PartSpreads(
            thought=mean_median_p95([s.thought_tokens for s in scored if s.prompt.kind == kind]),
            answer=mean_median_p95([s.answer_tokens for s in scored if s.prompt.kind == kind]),
        )
        for kind in dict.fromkeys(s.prompt.kind for s in scored)
    }


def structure(scored: Iterable[Scored]) -> ThoughtStructure:
    """The structure of the thoughts over harmful and benign prompts."""
    some = [s for s in scored if s.prompt.label]
    pu = [bool(s.parsed.problem_understanding) for s in some]
    ha = [a and declares_verdict(s.parsed.harmfulness_assessment) for a, s in zip(pu, some, strict=True)]
    cr = [b and bool(s.parsed.conditional_reasoning) for b, s in zip(ha, some, strict=True)]
    units = [s.unit for s in some]
    parts = zip(("pu", "ha", "cr"), (pu, ha, cr), strict=True)
    positions = [s.reading.position for s in some if s.reading.position is not None]
    return ThoughtStructure(
        steps={name: rate_over(flags, units) for name, flags in parts},
        changed=rate_over([s.reading.changed for s in some], units),
        sources={name: sum(s.reading.source == name for s in some) for name in ("steps", "free")},
        verdict_position=mean_median_p95(positions) if positions else None,
    )


def mean_median_p95(values: Sequence[float]) -> Spread:
    """Mean, median and 95th percentile of at least one value."""
    return Spread(float(np.mean(values)), float(np.median(values)), float(np.percentile(values, 95)))
