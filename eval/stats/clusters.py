"""Rates and paired differences when several samples belong to one prompt: its repeats or its attacks.

Samples of the same prompt are not independent, so the prompt is the unit. Treating the samples as independent makes
intervals too narrow and p-values too small (Miller 2024, arXiv 2411.00640, on clustered evaluation questions).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from statistics import fmean

import numpy as np
from axolotl_alttrain.eval.stats.intervals_and_tests import (
    CELLS,
    RESAMPLES,
    SEED,
    Mean,
    Rate,
    bootstrap_mean,
    newcombe,
    paired,
    rate,
    wilson_bounds,
)
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from scipy.stats import permutation_test


def rate_over(flags: Sequence[bool], units: Sequence[Hashable]) -> Rate:
    """The share of True with its 95 % interval over units.

    With one sample per unit this is Wilson's interval. Otherwise it is Wilson's interval at the effective number of
    samples, which is the binomial variance of the share over its variance between units (Korn and Graubard 1998; Franco
    et al. 2019, doi:10.1093/jssam/smy019), clamped between the number of units and the number of samples.

    Args:
        flags: One for each sample.
        units: The prompt of each sample, in the same order.
    """
    plain = rate(flags)
    clusters = _clusters(flags, units)
    if plain.value is None or len(clusters) == len(flags):
        return plain
    sums, sizes = clusters[:, 0], clusters[:, 1]
    count, total, share = len(clusters), len(flags), plain.value
    effective = float(count)
    if count > 1 and 0 < share < 1:
        variance = float(np.sum((sums - share * sizes) ** 2)) * count / (count - 1) / total**2
        effective = min(max(share * (1 - share) / variance, count), total) if variance else float(total)
    low, high = wilson_bounds(share, effective)
    return Rate(plain.count, total, share, low, high)


def paired_over(first: Sequence[bool], second: Sequence[bool], units: Sequence[Hashable]) -> PairedTest:
    """Paired difference of two runs with its interval and test, the unit being the prompt.

    With one sample per unit this is :func:`~axolotl_alttrain.eval.stats.intervals_and_tests.paired`, with McNemar's
    exact test. Otherwise the interval is a bootstrap over units (if all differences are equal, Newcombe's interval at
    the number of units), and the p-value comes from a sign-flip permutation test on the differences of the units. The
    test is exact for few units and uses 10,000 seeded draws otherwise. McNemar's test is its special case of one sample
    per unit.

    Args:
        first, second: The same samples in the same order, one flag each.
        units: The prompt that each belongs to.
    """
    count = len(set(units))
    if count == len(first):
        return paired(first, second)
    found = paired_means(first, second, units)
    if found.low is None or found.low != found.high:
        return found
    low, high = newcombe(first, second, count)
    return found.model_copy(update={"low": low, "high": high})


def paired_means(first: Sequence[float], second: Sequence[float], units: Sequence[Hashable]) -> PairedTest:
    """:func:`paired_over` for values by degree: ``gained`` and ``lost`` count samples whose value rose or fell."""
    sums, sizes = differences_of(first, second, units)
    low, high = bootstrap_mean(sums, sizes) or (None, None)
    return PairedTest(
        pairs=len(first),
        gained=sum(b > a for a, b in zip(first, second, strict=True)),
        lost=sum(b < a for a, b in zip(first, second, strict=True)),
        difference=float(sums.sum() / sizes.sum()) if len(sums) else None,
        p_value=_sign_flips(sums),
        low=low,
        high=high,
        units=len(sums),
        test="permutation",
    )


def mean_over(values: Sequence[float], units: Sequence[Hashable]) -> Mean:
    """A mean over samples with its bootstrap interval over units."""
    clusters = _clusters(values, units)
    low, high = bootstrap_mean(clusters[:, 0], clusters[:, 1]) or (None, None)
    return Mean(fmean(values) if len(values) else None, low, high)


def differences_of(
    first: Sequence[float], second: Sequence[float], units: Sequence[Hashable]
) -> tuple[np.ndarray, np.ndarray]:
    """For each unit, the sum of its differences (second minus first) and its samples; both of shape (units,)."""
    clusters = _clusters([float(b) - float(a) for a, b in zip(first, second, strict=True)], units)
    return clusters[:, 0], clusters[:, 1]


def _sign_flips(differences: np.ndarray) -> float:
    changed = differences[differences != 0]  # flipping the sign of zero has no effect
    if len(changed) < 2:
        return 1.0
    drawn = permutation_test(
        (changed, np.zeros_like(changed)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, CELLS // len(changed)),  # in one batch, a set of 11,000 summaries would take several GB
        rng=np.random.default_rng(SEED),
    )
    return float(drawn.pvalue)


def _clusters(values: Sequence[float], units: Sequence[Hashable]) -> np.ndarray:
    """Sum and count of the values of each unit; shape (units, 2)."""
    found: dict[Hashable, list[float]] = {}
    for value, unit in zip(values, units, strict=True):
        entry = found.setdefault(unit, [0.0, 0.0])
        entry[0] += value
        entry[1] += 1
    return np.array(list(found.values()), dtype=float).reshape(-1, 2)
