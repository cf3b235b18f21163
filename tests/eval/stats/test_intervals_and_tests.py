from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from axolotl_alttrain.eval.stats.agreement import cohen_kappa, precision_recall
from axolotl_alttrain.eval.stats.clusters import paired_over
from axolotl_alttrain.eval.stats.intervals_and_tests import (
    bootstrap_mean,
    holm,
    mcnemar,
    newcombe,
    paired,
    paired_bootstrap,
    rate,
    wilson,
)
from axolotl_alttrain.eval.stats.power import minimum_detectable_difference
from axolotl_alttrain.eval.stats.repeats import repeated
from scipy.stats import bootstrap


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662 without continuity correction.
    found = wilson(81, 263)
    assert found.low == pytest.approx(0.2553, abs=5e-5)
    assert found.high == pytest.approx(0.3662, abs=5e-5)


def test_wilson_at_the_ends() -> None:
    none, all_ = wilson(0, 20), rate([True] * 20)
    assert (none.low, all_.high) == (0, 1)
    assert none.high == pytest.approx(0.1611, abs=5e-5)
    assert wilson(0, 0).value is None


def test_mcnemar() -> None:
    first = [True] * 10 + [False] * 10
    second = [False] * 9 + [True] + [False] * 9 + [True]
    assert mcnemar(first, second).model_dump(exclude_unset=True) == {
        "pairs": 20,
        "gained": 1,
        "lost": 9,
        "difference": -0.4,
        "p_value": pytest.approx(22 / 1024),
        "units": 20,
        "test": "mcnemar",
    }
    assert mcnemar(first, first).p_value == 1


def test_bootstrap_is_the_resampling_of_prompts() -> None:
    # scipy's own percentile bootstrap draws indices; both estimate the same quantiles.
    values = np.r_[np.zeros(30), np.ones(10), np.full(20, 0.25)]
    reference = bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    low, high = bootstrap_mean(list(values))
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.005)
    assert bootstrap_mean(list(values)) == (low, high)  # seeded
    assert bootstrap_mean([]) is None
    assert bootstrap_mean([0.5] * 9) == (0.5, 0.5)


def test_paired_bootstrap_uses_the_pairing() -> None:
    first, second = [True, False] * 50, [True, False] * 49 + [True, True]
    low, high = paired_bootstrap(first, second)
    assert 0 <= low <= 0.01 <= high <= 0.05  # unpaired it would be about -0.13 to 0.15
    assert paired(first, second) == mcnemar(first, second).model_copy(update={"low": low, "high": high})
    assert paired([], []).low is None


def test_an_interval_where_nothing_or_everything_changed() -> None:
    # Newcombe 1998, table II: 36 both, 12 the one, 2 the other, none neither, of 50.
    second, first = [True] * 48 + [False] * 2, [True] * 36 + [False] * 12 + [True] * 2
    assert newcombe(first, second, 50) == pytest.approx((0.0569, 0.3404), abs=1e-4)
    same = paired([False] * 4, [False] * 4)
    assert (same.difference, same.low, same.high) == (0, pytest.approx(-0.4899, abs=1e-4), -same.low)
    gone = paired([True] * 12, [False] * 12)
    assert gone.low == pytest.approx(-1)
    assert -0.7 < gone.high < -0.6
    units = [0, 0, 1, 1, 2, 2, 3, 3]  # two samples of four prompts count as four
    clustered = paired_over([False] * 8, [False] * 8, units)
    assert (clustered.low, clustered.high) == (same.low, same.high)


def test_holm_by_hand() -> None:
    # Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1, raised to its predecessor.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_minimum_detectable_difference_inverts_the_sample_size() -> None:
    # Connor's formula by hand: psi 0.2, d 0.1 gives n = (1.95996 * sqrt(0.2) + 0.84162 * sqrt(0.19))^2 / 0.01 = 154.6.
    assert minimum_detectable_difference(155, 0.2) == pytest.approx(0.1, abs=2e-4)
    # psi 0.375, d 0.125, power 0.9: n = 248.0.
    assert minimum_detectable_difference(248, 0.375, power=0.9) == pytest.approx(0.125, abs=1e-5)
    assert minimum_detectable_difference(100, 0.0) == pytest.approx(minimum_detectable_difference(100, 0.05))
    assert minimum_detectable_difference(3, 1.0) is None
    assert minimum_detectable_difference(0, 0.5) is None
    with pytest.raises(ValueError, match="it must be between 0 and 1"):
        minimum_detectable_difference(10, 1.5)


def test_the_difference_is_detected_as_often_as_said() -> None:
    pairs, psi = 300, 0.3
    d = minimum_detectable_difference(pairs, psi)
    draws = np.random.default_rng(1).multinomial(pairs, [(psi + d) / 2, (psi - d) / 2, 1 - psi], size=4000)
    z = (draws[:, 0] - draws[:, 1]) / np.sqrt(draws[:, 0] + draws[:, 1])
    assert 0.79 < fmean(np.abs(z) > 1.959964) < 0.84  # the formula is an approximation, a little on the safe side


def test_repeats() -> None:
    tries = [[True, False, False], [False, False, False], [True, True, True], [False, False, True]]
    found = repeated(tries, 3)
    assert (found.mean.value, found.worst_of_k.value) == pytest.approx((5 / 12, 3 / 4))
    # Two of three at random: 2/3 for one hit, 0, 1, 2/3.
    assert repeated(tries, 2).worst_of_k.value == pytest.approx((2 / 3 + 0 + 1 + 2 / 3) / 4)
    assert repeated(tries, 1).worst_of_k.value == pytest.approx(5 / 12)
    assert repeated(tries, 3, "higher").worst_of_k.value == 1 / 4
    assert found.worst_of_k.low < 3 / 4 < found.worst_of_k.high
    with pytest.raises(ValueError, match="between 1 and the smallest number of tries, 3"):
        repeated(tries, 4)


def test_kappa_of_a_textbook_table() -> None:
    # 50 cases: both yes 20, first yes only 5, second yes only 10, both no 15. Observed 0.7, by chance 0.5.
    first = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa(first, first) == 1
    assert cohen_kappa([1, 1], [1, 1]) is None
    assert cohen_kappa([], []) is None


def test_precision_and_recall() -> None:
    found = precision_recall(["r", "r", "c", "c"], ["r", "c", "r", "r"], "r")
    assert (found.precision.count, found.precision.total) == (1, 2)
    assert (found.recall.count, found.recall.total) == (1, 3)
