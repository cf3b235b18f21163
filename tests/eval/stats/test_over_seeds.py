from __future__ import annotations

import pytest
from axolotl_alttrain.eval.stats.over_seeds import (
    SeedDifference,
    SeedMean,
    difference_over_seeds,
    mean_over_seeds,
)
from scipy.stats import ttest_1samp, ttest_ind


def test_the_mean_has_students_interval() -> None:
    found = mean_over_seeds([0.10, 0.12, 0.17])
    # s = sqrt(0.0013), t(0.975, 2) = 4.302653
    assert (found.mean, found.low, found.high) == (
        pytest.approx(0.13),
        pytest.approx(0.0404332, abs=1e-7),
        pytest.approx(0.2195668, abs=1e-7),
    )
    assert (found.low, found.high) == pytest.approx(ttest_1samp([0.10, 0.12, 0.17], 0).confidence_interval(0.95))


def test_the_interval_ends_where_rates_end() -> None:
    found = mean_over_seeds([0.0, 0.0, 0.06])
    assert found.low == 0.0
    assert found.high == pytest.approx(0.02 + 0.02 * 4.302653, abs=1e-6)
    assert mean_over_seeds([10.0, 20.0], 0, 100) == SeedMean((10.0, 20.0), 15.0, 0, pytest.approx(78.531, abs=1e-3))


def test_one_seed_has_no_interval_and_equal_seeds_one_without_width() -> None:
    assert mean_over_seeds([]) == SeedMean((), None, None, None)
    assert mean_over_seeds([0.3]) == SeedMean((0.3,), 0.3, None, None)
    assert mean_over_seeds([0.5, 0.5]) == SeedMean((0.5, 0.5), 0.5, 0.5, 0.5)


def test_two_groups_are_compared_by_welch() -> None:
    first, second = [0.1, 0.2], [0.5, 0.6, 0.7]
    found, expected = difference_over_seeds(first, second), ttest_ind(second, first, equal_var=False)
    assert found.difference == pytest.approx(0.45)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval(0.95))


def test_a_base_is_fixed() -> None:
    found = difference_over_seeds([0.95], [0.10, 0.12, 0.17])
    assert found.difference == pytest.approx(-0.82)
    assert (found.low, found.high) == (pytest.approx(-0.9095668), pytest.approx(-0.7304332))
    assert found.p_value == pytest.approx(ttest_1samp([0.10, 0.12, 0.17], 0.95).pvalue)


def test_differences_without_spread() -> None:
    assert difference_over_seeds([], [0.5]) == SeedDifference(None)
    assert difference_over_seeds([0.25], [0.5]) == SeedDifference(0.25)
    assert difference_over_seeds([0.25], [0.5, 0.5]) == SeedDifference(0.25, 0.25, 0.25, None)
    assert difference_over_seeds([0.5], [0.5, 0.5]) == SeedDifference(0.0, 0.0, 0.0, None)
