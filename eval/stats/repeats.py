"""Repeated sampling: the average, and the worst of k tries."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import comb
from statistics import fmean
from typing import Any

from axolotl_alttrain.eval.stats.clusters import mean_over


def repeated(
    flags: Sequence[Sequence[bool]], k: int, better: str = "lower", units: Sequence[Hashable] | None = None
) -> dict[str, Any]:
    """Mean and worst of k over prompts that were each answered several times.

    With ``better="lower"``, the worst of k tries is positive if at least one try counts; with ``"higher"``, if at least
    one does not. For a prompt with more than k tries it is the share of subsets of size k in which that happens, which
    is unbiased (Chen et al. 2021, arXiv 2107.03374, pass@k).

    Args:
        flags: For each prompt, one flag for each try.
        k: Number of tries, at least 1.
        better: ``lower`` or ``higher``, as in :class:`~axolotl_alttrain.eval.scoring.metrics.Metric`.
        units: The unit of each prompt, if several are attacks of one; by default each prompt is its own unit.

    Returns:
        ``prompts``, ``k``, and ``mean`` and ``worst_of_k``, each with ``value``, ``low``, ``high`` (a bootstrap over
        units, because tries at the same prompt are not independent).

    Raises:
        ValueError: A prompt has fewer than k tries.
    """
    if k < 1 or any(len(tries) < k for tries in flags):
        raise ValueError(
            f"k is {k}; it must be between 1 and the smallest number of tries, {min(map(len, flags), default=0)}"
        )
    means = [fmean(tries) for tries in flags]
    if better == "lower":
        worst = [1 - comb(len(tries) - sum(tries), k) / comb(len(tries), k) for tries in flags]
    else:
        worst = [comb(sum(tries), k) / comb(len(tries), k) for tries in flags]
    over = range(len(flags)) if units is None else units
    return {
        "prompts": len(flags),
        "k": k,
        "mean": mean_over(means, over),
        "worst_of_k": mean_over(worst, over),
    }
