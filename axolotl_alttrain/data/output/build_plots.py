"""Plots of a build as inline SVG, in mid-tones and the text colour of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from axolotl_alttrain.data.output.build_report import LengthSpread
from axolotl_alttrain.eval.report.plots.svg import INK, drawing, to_svg

PAPER_MEAN_TOKENS = 167  # mean length of the paper's training examples
_BAR = "#3f7fd6"
_MOST_BARS = 25


def bars(counts: Mapping[str, int], label: str = "rows") -> str:
    """Horizontal bars, largest first; if there are more than 25, the smallest are summed into one.

    Args:
        counts: Counts by name.
        label: Label of the axis.
    """
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(order) > _MOST_BARS:
        rest = order[_MOST_BARS - 1 :]
        order = [*order[: _MOST_BARS - 1], (f"{len(rest)} others", sum(number for _, number in rest))]
    names = [_shortened(name) for name, _ in order]
    numbers = [number for _, number in order]

    def draw(axes: Any) -> None:
        places = range(len(names))
        axes.barh(places, numbers, color=_BAR, height=0.7)
        for place, number in zip(places, numbers, strict=True):
            axes.text(number, place, f" {number:,}", va="center", fontsize=9, color=INK)
        axes.set_yticks(list(places), names)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel(label)

    return _svg(draw, 0.3 * len(names) + 0.8)


def lengths(total: LengthSpread) -> str:
    """Histogram of the tokens of whole rows, with the mean and the paper's mean.

    Args:
        total: The lengths of whole rows.
    """

    def draw(axes: Any) -> None:
        axes.stairs(total.histogram.counts, total.histogram.edges, fill=True, color=_BAR)
        axes.axvline(PAPER_MEAN_TOKENS, color="#c2632b", linewidth=1.5, linestyle="--")
        axes.axvline(total.mean, color=INK, linewidth=1.5)
        side = "right" if total.mean < PAPER_MEAN_TOKENS else "left"  # away from the paper's line
        top = axes.get_ylim()[1]
        axes.set_ylim(0, 1.2 * top)  # room for both labels, one above the other
        axes.text(PAPER_MEAN_TOKENS, 1.18 * top, f" paper's mean, {PAPER_MEAN_TOKENS}", color="#c2632b", va="top")
        axes.text(total.mean, 1.07 * top, f" mean here, {total.mean:.0f} ", color=INK, va="top", ha=side)
        axes.set_xlabel("tokens per row, including the prompt")
        axes.set_ylabel("rows")

    return _svg(draw, 2.8)


def _svg(draw: Callable[[Any], None], height: float) -> str:
    with drawing(8, height) as figure:
        axes = figure.subplots()
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        return to_svg(figure)


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
