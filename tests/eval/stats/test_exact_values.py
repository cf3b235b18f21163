"""Small cases worked out by hand, each for a place where a wrong sign, bound or exponent would pass otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axolotl_alttrain.eval.stats.agreement import precision_recall
from axolotl_alttrain.eval.stats.clusters import mean_over, paired_means, rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import (
    bootstrap_mean,
    mcnemar,
    newcombe,
    paired_bootstrap,
    wilson,
)
from axolotl_alttrain.eval.stats.repeats import repeated

Z = 1.959964


def flags(text: str) -> list[bool]:
    return [letter == "1" for letter in text]


@pytest.mark.parametrize(
    ("samples", "units", "low", "high"),
    [
        # Residuals 1, -1, 0: variance 2 * 3/2 / 64, so 16/3 effective samples; Wilson at 1/2 is 0.5 z / sqrt(n + z²).
        ("1110" "00" "10", "aaaabbcc", 0.5 - 0.5 * Z / (16 / 3 + Z**2) ** 0.5, 0.5 + 0.5 * Z / (16 / 3 + Z**2) ** 0.5),
        # Two units, residuals 0.5 and -0.5: 3 effective samples.
        ("11" "10", "aabb", 0.256093, 0.963159),
        # No variance between units: as many effective samples as samples.
        ("10" "10", "aabb", 0.5 - 0.5 * Z / (4 + Z**2) ** 0.5, 0.5 + 0.5 * Z / (4 + Z**2) ** 0.5),
        # A share of 1, and a single unit: as many as units.
        ("11" "11", "aabb", 2 / (2 + Z**2), 1),
        ("10", "aa", 0.5 - 0.5 * Z / (1 + Z**2) ** 0.5, 0.5 + 0.5 * Z / (1 + Z**2) ** 0.5),
    ],
)  # fmt: skip
def test_effective_samples(samples: str, units: str, low: float, high: float) -> None:
    found = rate_over(flags(samples), units)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


def test_newcombe_with_correlated_runs() -> None:
    """8 both, 2 and 2 one alone, 8 neither: phi is (60 - 20/2) / 100, and the interval that of one run alone."""
    first, second = flags("1" * 10 + "0" * 10), flags("1" * 8 + "0" * 2 + "1" * 2 + "0" * 8)
    half = 0.5 * Z / (20 + Z**2) ** 0.5
    assert newcombe(first, second, 20) == pytest.approx((-half, half), abs=1e-6)


@pytest.mark.parametrize(
    "pairing",
    [
        mcnemar,
        paired_bootstrap,
        lambda a, b: newcombe(a, b, 3),
        lambda a, b: paired_means(a, b, "abc"),
        lambda a, b: precision_recall(a, b, True),
    ],
)
def test_runs_of_different_lengths_are_not_paired(pairing: Callable[[list[bool], list[bool]], object]) -> None:
    with pytest.raises(ValueError, match="shorter"):
        pairing(flags("101"), flags("10"))


def test_hits_are_of_the_class_alone() -> None:
    found = precision_recall("aaab", "aabb", "a")
    assert (found.precision.count, found.precision.total) == (2, 3)
    assert (found.recall.count, found.recall.total) == (2, 2)


def test_confidence_and_seed_are_used() -> None:
    assert wilson(5, 10, 0.5).low == pytest.approx(0.5 - 0.5 * 0.67449 / (10 + 0.67449**2) ** 0.5, abs=1e-5)
    first, second = [0.0] * 23, [number**0.5 for number in range(23)]
    assert paired_bootstrap(first, second, 0.8, seed=3) == bootstrap_mean(second, None, 0.8, seed=3)
    assert paired_bootstrap(first, second, 0.8, seed=3) != paired_bootstrap(first, second, 0.8, seed=4)


def test_a_mean_over_units_of_different_sizes_stays_within_its_values() -> None:
    found = mean_over([1, 1, 1, 1, 0], "aaaab")
    assert (found.value, found.low, found.high) == (0.8, 0.0, 1.0)
    assert (mean_over([], []).value, mean_over([], []).low) == (None, None)


def test_the_worst_of_two_tries() -> None:
    found = repeated([flags("110"), flags("000")], 2, "higher")
    assert (found.prompts, found.k, found.worst_of_k.value) == (2, 2, pytest.approx(1 / 6))
    together = repeated([flags("110"), flags("000")], 2, "higher", units="xx")
    assert together.mean.low == together.mean.high == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"smallest number of tries, 0$"):
        repeated([], 0)
