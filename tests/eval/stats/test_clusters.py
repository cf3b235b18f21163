from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from axolotl_alttrain.eval.stats.clusters import paired_means, paired_over, rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import paired, rate
from scipy.stats import binomtest


def test_one_sample_for_each_prompt_is_the_plain_case() -> None:
    flags, others = [True, False, True, True, False], [False, False, True, False, False]
    assert rate_over(flags, range(5)) == rate(flags)
    assert paired_over(flags, others, range(5)) == paired(flags, others)
    assert rate_over([], []) == rate([])
    assert paired_over([], [], []).pairs == 0


def test_repeats_that_always_agree_count_once() -> None:
    prompts = [True] * 30 + [False] * 70
    four_times = [flag for flag in prompts for _ in range(4)]
    units = [i for i in range(100) for _ in range(4)]
    found, once = rate_over(four_times, units), rate(prompts)
    assert (found.count, found.total, found.value) == (120, 400, 0.3)
    assert (found.low, found.high) == pytest.approx((once.low, once.high), abs=1e-12)
    # Counted as independent, the interval would have half the width.
    naive = binomtest(120, 400).proportion_ci(method="wilson")
    assert naive.high - naive.low == pytest.approx((once.high - once.low) / 2, abs=0.005)


def test_independent_tries_count_each() -> None:
    units = [i for i in range(100) for _ in range(4)]
    flags = list(np.random.default_rng(0).random(400) < 0.3)
    found, each = rate_over(flags, units), rate(flags)
    assert (found.low, found.high) == pytest.approx((each.low, each.high), abs=0.01)
    assert rate_over([False] * 400, units).high == pytest.approx(rate([False] * 100).high)


def test_the_interval_covers() -> None:
    """Prompts of their own difficulty, five tries each: 95 % of intervals hold the true share, naive ones do not."""
    draw = np.random.default_rng(1)
    units = [i for i in range(60) for _ in range(5)]
    covered = naive = 0
    for _ in range(400):
        tries = draw.random((60, 5)) < draw.beta(0.3, 0.7, size=(60, 1))
        flags = tries.reshape(-1).tolist()
        found, plain = rate_over(flags, units), rate(flags)
        covered += found.low <= 0.3 <= found.high
        naive += plain.low <= 0.3 <= plain.high
    assert covered / 400 > 0.92
    assert naive / 400 < 0.8


def test_paired_repeats() -> None:
    # Six prompts, three tries: five prompts lose all three, one gains one.
    first = [True] * 15 + [False] * 3
    second = [False] * 15 + [True, False, False]
    units = [i for i in range(6) for _ in range(3)]
    found = paired_over(first, second, units)
    assert (found.pairs, found.units, found.gained, found.lost) == (18, 6, 1, 15)
    assert found.difference == pytest.approx(-14 / 18)
    # Of the 64 sign patterns those at least as far from 0: all alike (2), and the small one turned (2).
    assert found.p_value == pytest.approx(4 / 64)
    assert found.test == "permutation"
    assert found.low <= found.difference <= found.high


def test_sign_flips_are_mcnemars_test_where_units_are_prompts() -> None:
    first = [True] * 9 + [False] * 3 + [True, True] * 2
    second = [False] * 9 + [True] * 2 + [False] + [True, True] * 2
    # One pair of prompts that never changes shares a unit, so the permutation test is taken.
    units = [*range(12), "a", "a", "b", "b"]
    found = paired_over(first, second, units)
    assert found.test == "permutation"
    assert found.p_value == pytest.approx(paired(first, second).p_value, abs=1e-9)


def test_values_by_degree() -> None:
    found = paired_means([0.2, 0.4, 0.6, 0.5], [0.1, 0.2, 0.3, 0.5], range(4))
    assert (found.gained, found.lost, found.difference) == (0, 3, pytest.approx(-0.15))
    assert found.p_value == pytest.approx(2 / 8)  # of the eight sign patterns the two where all go one way
    assert -0.3 <= found.low < found.difference < found.high <= 0


def test_prompts_with_unequal_numbers_of_samples() -> None:
    """Harmful prompts under six attacks beside benign ones asked once: no interval passes what is possible."""
    units = [unit for unit, size in enumerate([6, 6, 1, 1]) for _ in range(size)]
    found = paired_over([False] * 14, [True] * 14, units)
    # All four prompts changed: Newcombe's interval of 4 of 4, as the bootstrap has no width.
    assert (found.difference, found.low, found.high) == (1.0, pytest.approx(0.3072, abs=1e-4), 1.0)
    # Prompts with one sample each that changed, beside large ones that did not: between none and all of the samples.
    found = paired_over([False] * 14, [False] * 12 + [True] * 2, units)
    assert found.difference == pytest.approx(1 / 7)
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_difference_interval_covers() -> None:
    """Half of the prompts under six attacks, half once; each prompt with a difference of its own, 0.3 over samples."""
    draw = np.random.default_rng(2)
    units = [i for i in range(60) for _ in range(6 if i < 30 else 1)]
    covered = 0
    for _ in range(100):
        shares = np.clip(draw.beta(0.6, 1.4, 60), 0, 1)
        second = [bool(draw.random() < shares[i]) for i in units]
        found = paired_over([False] * len(units), second, units)
        covered += found.low <= 0.3 <= found.high
    assert covered >= 88


def test_memory_does_not_grow_with_the_set() -> None:
    draw = np.random.default_rng(0)
    before, after = (draw.random(1000).tolist() for _ in range(2))
    tracemalloc.start()
    found = paired_means(before, after, range(1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.units == 1000
    assert peak < 100_000_000  # 10,000 draws at once: 720 MB, and 8 GB for 11,000 summaries
