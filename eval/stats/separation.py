"""How well scores separate two groups of prompts, wherever the threshold is: the area under the ROC curve.

The area's variance is DeLong's (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845), in the form for
several samples of one prompt (Obuchowski 1997, Biometrics 53, 567-578): with one sample per prompt both are the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from axolotl_alttrain.eval.stats.intervals_and_tests import wilson_bounds
from scipy.special import expit, logit
from scipy.stats import norm, rankdata


@dataclass(frozen=True)
class Group:
    """The scores of one group, and the prompt that each belongs to.

    Attributes:
        scores: Of one run, or of several runs on the same samples; shape (runs, samples).
        units: The prompt of each sample.
    """

    scores: np.ndarray
    units: Sequence[Hashable]


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve with its 95 % interval: 1 separates perfectly, 0.5 not at all."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AreaTest:
    """The paired difference of two areas, second minus first, with its 95 % interval and DeLong's test."""

    difference: float
    low: float
    high: float
    p_value: float


def area(positive: Group, negative: Group) -> Area:
    """The area of one run, with DeLong's interval on the logit scale, which stays between 0 and 1.

    If no pair of samples is out of order, DeLong's variance is 0; the interval is then Wilson's at the number of
    prompts of the smaller group.
    """
    areas, covariance = _areas(positive, negative)
    value, variance = float(areas[0]), float(covariance[0, 0])
    if variance <= 0 or not 0 < value < 1:
        return Area(value, *wilson_bounds(value, min(len(set(positive.units)), len(set(negative.units)))))
    half = norm.ppf(0.975) * sqrt(variance) / (value * (1 - value))
    return Area(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))


def area_difference(positive: Group, negative: Group) -> AreaTest:
    """The difference of the areas of two runs on the same samples; p is 1 where nothing differs."""
    areas, covariance = _areas(positive, negative)
    difference = float(areas[1] - areas[0])
    error = sqrt(max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    half = float(norm.ppf(0.975)) * error
    p = float(2 * norm.sf(abs(difference) / error)) if error else float(difference == 0)
    return AreaTest(difference, max(-1.0, difference - half), min(1.0, difference + half), p)


def _areas(positive: Group, negative: Group) -> tuple[np.ndarray, np.ndarray]:
    """The area of each run, and the covariance of the areas; shapes (runs,) and (runs, runs)."""
    sizes = positive.scores.shape[1], negative.scores.shape[1]
    ranks = rankdata(np.hstack([positive.scores, negative.scores]), axis=1)
    # The share of the other group that each sample is on the right side of, ties counting half.
    above = (ranks[:, : sizes[0]] - rankdata(positive.scores, axis=1)) / sizes[1]
    below = 1 - (ranks[:, sizes[0] :] - rankdata(negative.scores, axis=1)) / sizes[0]
    areas = above.mean(axis=1)
    covariance = sum(
        _variance(shares - areas[:, None], units)
        for shares, units in ((above, positive.units), (below, negative.units))
    )
    return areas, np.asarray(covariance)


def _variance(deviations: np.ndarray, units: Sequence[Hashable]) -> np.ndarray:
    """Covariance of the mean deviation over units; shape (runs, runs)."""
    _, places = np.unique([str(unit) for unit in units], return_inverse=True)
    sums = np.array([np.bincount(places, row) for row in deviations])
    count = sums.shape[1]
    if count < 2:
        return np.zeros((len(sums), len(sums)))
    return np.asarray(sums @ sums.T * count / (count - 1) / deviations.shape[1] ** 2)
