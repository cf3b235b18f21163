"""Agreement between judges, and of a judge with labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, wilson


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of a judge for one class, each with its Wilson interval."""

    precision: Rate
    recall: Rate


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Cohen's kappa: agreement beyond chance, given how often each judge gives each verdict (Cohen 1960).

    Returns:
        At most 1; None without cases, or if both judges always give the same single verdict.
    """
    total = len(first)
    if not total:
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / total
    left, right = Counter(first), Counter(second)
    chance = sum(left[label] * right[label] for label in left) / total**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def precision_recall(said: Sequence[Hashable], labels: Sequence[Hashable], target: Hashable) -> PrecisionRecall:
    """Precision and recall of a judge for one class, each as a rate with its Wilson interval.

    Args:
        verdicts: The verdicts of the judge, one for each case.
        labels: The right verdicts, in the same order.
        target: The class.
    """
    hits = sum(a == target == b for a, b in zip(said, labels, strict=True))
    claimed, true = (sum(one == target for one in some) for some in (said, labels))
    return PrecisionRecall(wilson(hits, claimed), wilson(hits, true))
