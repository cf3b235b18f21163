"""Labels of points, placed where they cover nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import hypot
from typing import Any

NEAR = 3.0  # percentage points between points that share a label


def label_points(
    axes: Any, labels: Iterable[tuple[str, tuple[float, float], str]], points: Sequence[tuple[float, float]]
) -> None:
    """Write each (text, place, colour) on the freest side of its point; close points of one colour share a label."""
    groups: list[tuple[list[str], tuple[float, float], str]] = []
    for text, place, colour in labels:
        near = [g for g in groups if g[2] == colour and hypot(g[1][0] - place[0], g[1][1] - place[1]) < NEAR]
        if near:
            near[0][0].append(text)
        else:
            groups.append(([text], place, colour))
    taken = list(points)
    for texts, (x, y), colour in groups:
        others = [(a, b) for a, b in taken if (a, b) != (x, y)]
        sides = [(1, 1), (-1, 1), (1, -1), (-1, -1)]
        allowed = [(a, b) for a, b in sides if -2 < x + 6 * a < 102 and -2 < y + 6 * b < 102]

        def free(side: tuple[int, int], x: float = x, y: float = y, others: Any = tuple(others)) -> float:
            return min((hypot(a - x - 5 * side[0], b - y - 5 * side[1]) for a, b in others), default=0)

        side = max(allowed, key=free)
        axes.annotate(
            ", ".join(texts),
            (x, y),
            xytext=(7 * side[0], 7 * side[1]),
            textcoords="offset points",
            ha="left" if side[0] > 0 else "right",
            va="bottom" if side[1] > 0 else "top",
            fontsize=9,
            color=colour,
        )
        taken.append((x + 5 * side[0], y + 5 * side[1]))


def along(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points on the line that joins these places, which labels must not cover."""
    parts = [i / 10 for i in range(1, 10)]
    return [(a + t * (c - a), b + t * (d - b)) for (a, b), (c, d) in pairwise(places) for t in parts]
