"""Rates with their intervals, and the paired test that compares two runs on the same prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import binomtest


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % Wilson interval.

    Attributes:
        count: Cases counted.
        total: Cases that could have counted.
        value: ``count / total``, between 0 and 1; None where ``total`` is 0.
        low, high: The interval's bounds, between 0 and 1; None where ``total`` is 0.
    """

    count: int
    total: int
    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def wilson(count: int, total: int, confidence: float = 0.95) -> Rate:
    """The rate ``count / total`` with its Wilson score interval (Wilson 1927; Brown, Cai, DasGupta 2001)."""
    if total == 0:
        return Rate(0, 0, None, None, None)
    interval = binomtest(count, total).proportion_ci(confidence, method="wilson")
    return Rate(count, total, count / total, float(interval.low), float(interval.high))


def rate(flags: Sequence[bool]) -> Rate:
    """The share of True in ``flags``."""
    return wilson(sum(flags), len(flags))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> dict[str, Any]:
    """Exact McNemar test on paired flags (McNemar 1947).

    Args:
        first, second: The same prompts in the same order, one flag each.

    Returns:
        ``gained`` (False then True), ``lost`` (True then False), ``difference`` of the shares (second minus
        first) and the two-sided ``p_value``.
    """
    gained = sum(b and not a for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    changed = gained + lost
    p_value = float(binomtest(gained, changed, 0.5).pvalue) if changed else 1.0
    total = len(first)
    return {
        "pairs": total,
        "gained": gained,
        "lost": lost,
        "difference": (gained - lost) / total if total else None,
        "p_value": p_value,
    }
