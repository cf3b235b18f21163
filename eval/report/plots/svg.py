"""What all plots share: colours, the drawing style, and a figure as inline SVG.

Plots have no background and use the page's text colour, so that they are legible on light and dark pages and in print.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import nan
from typing import Any, NamedTuple

from axolotl_alttrain.eval.stats.intervals_and_tests import Rate

# Contrast of at least 3 to 1 with the page, and with whiskers on a bar, in both colour schemes.
COLOURS = {"base": "#7c818a", "tuned": "#2f6fde", "base-off": "#57876b", "tuned-off": "#b8652a"}
INK = "#123456"  # replaced by the page's text colour in the SVG
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "alttrain",
    "text.parse_math": False,  # a "$" in a name is a dollar
    "font.family": "sans-serif",
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def to_svg(figure: Any) -> str:
    """A matplotlib figure as an ``<svg>`` element, drawn under :data:`STYLE`."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'(<svg [^>]*width="([^"]+)")', r'\1 style="--drawn: \2"', svg, count=1)  # for the page's style
    return re.sub(r'<g id="[^"]*"', "<g", svg)  # figure_1, axes_1: nothing refers to them, and a page has several


class Plot(NamedTuple):
    """A plot: the ``<svg>`` element, its content in words and numbers, and a caption on how to read it."""

    svg: str
    alt: str
    caption: str = ""


@contextmanager
def drawing(width: float, height: float, **options: Any) -> Iterator[Any]:
    """A matplotlib figure of this size in inches, drawn and saved in the pages' style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained", **options)


def colour(run: str) -> str:
    """The colour of a run, the same in every plot."""
    return COLOURS.get(run, "#b5651d")


def percents(rate: Rate) -> tuple[float, float, float]:
    """Value, lower and upper bound in percent; not a number, which is not drawn, where there is none."""
    value, low, high = (nan if one is None else 100 * one for one in (rate.value, rate.low, rate.high))
    return value, low, high


def spans(value: float | None, low: float | None, high: float | None) -> tuple[float, float]:
    """Distances in percentage points from a value to its lower and upper bound, given as shares."""
    if value is None or low is None or high is None:
        return nan, nan
    return max(0.0, 100 * (value - low)), max(0.0, 100 * (high - value))


def whiskers(rates: Sequence[Rate]) -> list[list[float]]:
    """Lengths of the whiskers below and above rates, in percentage points."""
    both = [spans(rate.value, rate.low, rate.high) for rate in rates]
    return [[below for below, _ in both], [above for _, above in both]]


def said(rate: Rate) -> str:
    """A rate in words, for alternative texts."""
    value, low, high = percents(rate)
    if rate.value is None:
        return "not applicable"
    return f"{value:.1f} percent (interval {low:.1f} to {high:.1f})"


def tidy(axes: Any, grid: str = "both") -> None:
    """Remove the frame's upper and right sides and draw a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=INK, alpha=0.12, linewidth=0.6)
