"""The mean over training seeds: how far a result would move if the same recipe were trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from scipy.stats import t


@dataclass(frozen=True)
class SeedMean:
    """A mean over training seeds with its 95 % interval.

    Attributes:
        values: One of each seed.
        mean: Of them; None without seeds.
        low, high: Bounds of the interval; None for fewer than two seeds, since one says nothing about the spread.
    """

    values: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None


def mean_over_seeds(values: Sequence[float], lowest: float = 0.0, highest: float = 1.0) -> SeedMean:
    """The mean of independent trainings with Student's interval: mean ± t(0.975, n - 1) · s / √n (Student 1908).

    It assumes that the results of the trainings are about normal. With three seeds t is 4.30, so that the interval is
    wide; seeds that agree exactly give it no width.

    Args:
        values: One result of each training seed.
        lowest, highest: What a result can be; the interval ends there.
    """
    if not values:
        return SeedMean((), None, None, None)
    mean = fmean(values)
    if len(values) < 2:
        return SeedMean(tuple(values), mean, None, None)
    half = float(t.ppf(0.975, len(values) - 1)) * sqrt(variance(values) / len(values))
    return SeedMean(tuple(values), mean, max(lowest, mean - half), min(highest, mean + half))


@dataclass(frozen=True)
class SeedDifference:
    """The difference of two means over seeds, second minus first.

    Attributes:
        difference: Of the means; None without seeds on either side.
        low, high: Its 95 % interval; None where neither side has two seeds.
        p_value: Of the test that the difference is 0; None without an interval, or where all seeds agree and the
            interval has no width.
    """

    difference: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def difference_over_seeds(first: Sequence[float], second: Sequence[float]) -> SeedDifference:
    """Welch's interval and test of two groups of independent trainings (Welch 1947).

    A side of one value counts as fixed, such as a base model that was not trained: then this is Student's interval of
    the other side.

    Args:
        first, second: One result of each training seed; the seeds need not be the same.
    """
    if not first or not second:
        return SeedDifference(None)
    difference = fmean(second) - fmean(first)
    errors = [(variance(side) / len(side), len(side) - 1) for side in (first, second) if len(side) > 1]
    if not errors:
        return SeedDifference(difference)
    squared = sum(error for error, _ in errors)
    if squared == 0:
        return SeedDifference(difference, difference, difference)
    freedom = squared**2 / sum(error**2 / df for error, df in errors)
    half = float(t.ppf(0.975, freedom)) * sqrt(squared)
    p = float(2 * t.sf(abs(difference) / sqrt(squared), freedom))
    return SeedDifference(difference, max(-1.0, difference - half), min(1.0, difference + half), p)
