"""Agreement between judges, and of a judge with labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, wilson
from sklearn.metrics import cohen_kappa_score


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of a judge for one class, each with its Wilson interval."""

    precision: Rate
    recall: Rate


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Cohen's kappa; None without cases, or if both judges always give the same single verdict."""
    return float(cohen_kappa_score(first, second)) if len({*first, *second}) > 1 else None


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
