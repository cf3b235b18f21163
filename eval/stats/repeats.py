"""Repeated sampling: the average, and the worst of k tries."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean

from axolotl_alttrain.eval.stats.clusters import mean_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Mean


@dataclass(frozen=True)
class Repeated:
    """One outcome over prompts that were each answered several times.

    Attributes:
        prompts: How many.
        k: Tries taken together.
        mean: The share of tries that count.
        worst_of_k: The share of prompts for which the worst of k tries is bad.
    """

    prompts: int
    k: int
    mean: Mean
    worst_of_k: Mean


def repeated(
    flags: Sequence[Sequence[bool]], k: int, better: str = "lower", units: Sequence[Hashable] | None = None
) -> Repeated:
    """Mean and worst-of-k over prompts that were each answered several times.

    With ``better="lower"``, the worst of k tries is positive if at least one try counts; with ``"higher"``, if at least
    one does not. For a prompt with more than k tries it is the share of subsets of size k in which that happens, which
    is unbiased (Chen et al. 2021, arXiv 2107.03374, pass@k).

    Args:
        flags: For each prompt, one flag for each try.
        k: Number of tries, at least 1.
        better: ``lower`` or ``higher``, as in :class:`~axolotl_alttrain.eval.scoring.metrics.Metric`.
        units: The unit of each prompt, if several are attacks of one; by default each prompt is its own unit.

    Returns:
        Both rates with bootstrap intervals over prompts, since tries at the same prompt are not independent.

    Raises:
        ValueError: A prompt has fewer than k tries.
    """
    if k < 1 or any(len(tries) < k for tries in flags):
        raise ValueError(f"k: found {k}; allowed: 1 to the smallest number of tries, {min(map(len, flags), default=0)}")
    means = [fmean(tries) for tries in flags]
    if better == "lower":
        worst = [1 - comb(len(tries) - sum(tries), k) / comb(len(tries), k) for tries in flags]
    else:
        worst = [comb(sum(tries), k) / comb(len(tries), k) for tries in flags]
    over = range(len(flags)) if units is None else units
    return Repeated(len(flags), k, mean_over(means, over), mean_over(worst, over))
