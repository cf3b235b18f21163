"""How far judges agree with each other, and how far one agrees with labels."""

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
    """Cohen's kappa: agreement beyond what the two judges' own frequencies give by chance (Cohen 1960).

    Returns:
        At most 1; None without cases, or where both always say the same one thing, so that chance explains all.
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
        said: What the judge said, one per case.
        labels: What is right, in the same order.
        target: The class.
    """
    hits = sum(a == target == b for a, b in zip(said, labels, strict=True))
    claimed, true = (sum(one == target for one in some) for some in (said, labels))
    return PrecisionRecall(wilson(hits, claimed), wilson(hits, true))
