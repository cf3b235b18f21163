"""Rates with intervals, paired comparisons of two runs on the same prompts, and correction for multiple tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from scipy.stats import binomtest, norm

RESAMPLES = 10_000
SEED = 1995
CELLS = 1_000_000  # maximum size of the arrays that resampling creates


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval; for sets scored by degree, a mean.

    Attributes:
        count: Samples that count; None for a mean.
        total: Samples that could count.
        value: ``count / total``, or the mean, between 0 and 1; None where ``total`` is 0.
        low, high: Bounds of the interval, between 0 and 1; None where ``total`` is 0.
    """

    count: int | None
    total: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mean:
    """A mean between 0 and 1 with its 95 % bootstrap interval; all None without samples."""

    value: float | None
    low: float | None
    high: float | None


NO_RATE = Rate(0, 0, None, None, None)


def wilson(count: int, total: int, confidence: float = 0.95) -> Rate:
    """The rate ``count / total`` with its Wilson score interval (Wilson 1927; Brown, Cai, DasGupta 2001)."""
    if total == 0:
        return NO_RATE
    interval = binomtest(count, total).proportion_ci(confidence, method="wilson")
    return Rate(count, total, count / total, float(interval.low), float(interval.high))


def rate(flags: Sequence[bool]) -> Rate:
    """The share of True in ``flags``."""
    return wilson(sum(flags), len(flags))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """Exact McNemar test on paired flags (McNemar 1947), without an interval.

    Args:
        first, second: The same prompts in the same order, one flag each.
    """
    gained = sum(b and not a for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    changed, total = gained + lost, len(first)
    return PairedTest(
        pairs=total,
        gained=gained,
        lost=lost,
        difference=(gained - lost) / total if total else None,
        p_value=float(binomtest(gained, changed, 0.5).pvalue) if changed else 1.0,
        units=total,
        test="mcnemar",
    )


def bootstrap_mean(
    values: Sequence[float] | np.ndarray,
    sizes: Sequence[float] | np.ndarray | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of a mean (Efron and Tibshirani 1993, chapter 13).

    Prompts are resampled with replacement. Only the number of times that each distinct value is drawn matters. These
    counts follow a multinomial distribution and are drawn from it directly, without a table of indices.

    Args:
        values: One value for each prompt; for repeated answers, the mean of the prompt.
        sizes: If each value is the sum of several samples, their number. The mean is then taken over all samples drawn,
            so it stays within the bounds of the values even if prompts have different numbers of samples.
        confidence: Confidence level.
        resamples: Number of resamples.
        seed: The same seed gives the same interval.

    Returns:
        Lower and upper bound; None without values.
    """
    if not len(values):
        return None
    of_prompts = np.column_stack([values, np.ones(len(values)) if sizes is None else sizes]).astype(float)
    distinct, counts = np.unique(of_prompts, axis=0, return_counts=True)
    total = int(counts.sum())
    rng, at_once = np.random.default_rng(seed), max(1, CELLS // len(distinct))
    parts = (min(at_once, resamples - done) for done in range(0, resamples, at_once))
    drawn = np.vstack([rng.multinomial(total, counts / total, size=part) @ distinct for part in parts])
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95, seed: int = SEED
) -> tuple[float, float] | None:
    """Bootstrap interval of the paired difference, second minus first; prompts are resampled, in both runs together.

    Args:
        first, second: Flags, scores or means over repeats, of the same prompts in the same order.

    Returns:
        Lower and upper bound of the difference of means; None without pairs.
    """
    return bootstrap_mean(
        [b - a for a, b in zip(map(float, first), map(float, second), strict=True)], None, confidence, seed=seed
    )


def paired(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """:func:`mcnemar` with the bootstrap interval of the difference.

    Where all differences are equal, a bootstrap interval has no width; :func:`newcombe` gives the interval instead.
    """
    low, high = paired_bootstrap(first, second) or (None, None)
    if low is not None and low == high:
        low, high = newcombe(first, second, len(first))
    return mcnemar(first, second).model_copy(update={"low": low, "high": high})


def newcombe(first: Sequence[bool], second: Sequence[bool], n: float) -> tuple[float, float]:
    """Score interval of the paired difference of shares, second minus first.

    Newcombe 1998 (Statistics in Medicine 17, 2635-2650), method 10: from the Wilson intervals of the two shares and
    their correlation.

    Args:
        first, second: Flags of the same samples in the same order, at least one.
        n: Effective number of samples; smaller than their number if several belong to one prompt.
    """
    total = len(first)
    p, q = sum(first) / total, sum(second) / total
    both = n * sum(a and b for a, b in zip(first, second, strict=True)) / total
    one, two, neither = n * p - both, n * q - both, n - n * p - n * q + both
    product = both * neither - one * two
    product = max(product - n / 2, 0.0) if product > 0 else product
    margins = n * p * (n - n * p) * n * q * (n - n * q)
    phi = product / sqrt(margins) if margins > 0 else 0.0
    (p_low, p_high), (q_low, q_high) = wilson_bounds(p, n), wilson_bounds(q, n)

    def reach(up: float, down: float) -> float:
        return sqrt(max(0.0, up * up - 2 * phi * up * down + down * down))

    return q - p - reach(q - q_low, p_high - p), q - p + reach(q_high - q, p - p_low)


def wilson_bounds(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a number of samples that need not be an integer; SciPy's only takes integers."""
    z = float(norm.ppf((1 + confidence) / 2))
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + side * half) / (1 + z * z / n) for side in (-1, 1))
    return max(0.0, low), min(1.0, high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979); at a threshold of 0.05 the family-wise error rate is at most 5 %.

    Args:
        p_values: One for each test of the family, in any order.

    Returns:
        Adjusted p-values in the same order, at most 1.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = running
    return adjusted
