from __future__ import annotations

from itertools import product
from math import exp, log, sqrt

import numpy as np
import pytest
from axolotl_alttrain.eval.stats.intervals_and_tests import wilson
from axolotl_alttrain.eval.stats.separation import Group, area, area_difference
from sklearn.metrics import roc_auc_score


def group(*runs: list[float], units: list[int] | None = None) -> Group:
    return Group(np.array(runs, dtype=float), range(len(runs[0])) if units is None else units)


def test_delongs_variance_by_hand() -> None:
    # Shares of the other group on the right side: 1, 1, 3/4 and 2/3, 1, 1, 1. Their variances are 1/48 and 1/36, so
    # that of the area is (1/48) / 3 + (1/36) / 4 = 1/72.
    found = area(group([0.9, 0.8, 0.4]), group([0.7, 0.3, 0.2, 0.1]))
    half = 1.959963984540054 * sqrt(1 / 72) / (11 / 12 * 1 / 12)
    assert found.value == pytest.approx(11 / 12)
    assert found.low == pytest.approx(1 / (1 + exp(-(log(11) - half))))
    assert found.high == pytest.approx(1 / (1 + exp(-(log(11) + half))))


def test_two_prompts_of_each_kind() -> None:
    """Shares 1 and 1/2, and 1/2 and 1: each group adds 2 * 0.25² * 2 / 2² = 1/16 to the variance of 3/4."""
    found = area(group([3, 1]), group([2, 0]))
    half = 1.959964 * sqrt(1 / 8) / (3 / 16)
    bounds = [1 / (1 + exp(-log(3) - side * half)) for side in (-1, 1)]
    assert (found.value, found.low, found.high) == pytest.approx((0.75, *bounds), abs=1e-6)


def test_ties_count_half() -> None:
    draw = np.random.default_rng(3)
    positive, negative = draw.integers(0, 5, 40).astype(float), draw.integers(-2, 4, 30).astype(float)
    counted = np.mean([(p > n) + 0.5 * (p == n) for p, n in product(positive, negative)])
    found = area(group(list(positive)), group(list(negative)))
    assert found.value == pytest.approx(counted)
    assert found.value == pytest.approx(roc_auc_score([1] * 40 + [0] * 30, [*positive, *negative]))


def test_perfect_separation_has_an_interval() -> None:
    found = area(group([3, 4, 5]), group([0, 1, 2, 2]))
    one = wilson(3, 3)
    assert (found.value, found.low, found.high) == (1.0, pytest.approx(one.low), 1.0)


def test_repeats_of_a_prompt_count_once() -> None:
    draw = np.random.default_rng(5)
    positive, negative = list(draw.normal(1, 1, 20)), list(draw.normal(0, 1, 25))
    once = area(group(positive), group(negative))
    thrice = area(group(positive * 3, units=[*range(20)] * 3), group(negative * 3, units=[*range(25)] * 3))
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))


def test_the_paired_difference() -> None:
    # The second run swaps one pair: areas 11/12 and 10/12. Per-sample differences are 0, 0, -1/4 and -1/3, 0, 0, 0.
    positive = group([0.9, 0.8, 0.4], [0.9, 0.8, 0.25])
    negative = group([0.7, 0.3, 0.2, 0.1], [0.7, 0.3, 0.2, 0.1])
    found = area_difference(positive, negative)
    half = 1.959963984540054 * sqrt((1 / 48) / 3 + (1 / 36) / 4)
    assert found.difference == pytest.approx(-1 / 12)
    assert (found.low, found.high) == pytest.approx((-1 / 12 - half, -1 / 12 + half))
    assert found.p_value == pytest.approx(0.47950012218695337)  # of a normal deviate of 1 / sqrt(2)
    same = area_difference(group([2, 1], [2, 1]), group([0, 1], [0, 1]))
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_the_interval_covers() -> None:
    """95 % of intervals hold the true area, with as few prompts as the probes have."""
    draw, covered = np.random.default_rng(1), 0
    true = 0.921350396474857  # of two normals two standard deviations apart
    for _ in range(300):
        found = area(group(list(draw.normal(2, 1, 50))), group(list(draw.normal(0, 1, 50))))
        covered += found.low <= true <= found.high
    assert covered / 300 > 0.92
