"""What all plots share: colours, the drawing style, and a figure as inline SVG.

Plots have no background and their ink is the page's own colour, so that they read on light and dark and in print.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

# As every colour of marks: at least 3 to 1 against the pages, and against the whiskers on a bar, in both schemes.
COLOURS = {"base": "#7c818a", "tuned": "#2f6fde"}
INK = "#123456"  # stands for the page's ink until the SVG is written
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
    """A drawn plot: the ``<svg>`` element, what it says in words and numbers, and what to know when reading it."""

    svg: str
    alt: str
    caption: str = ""


@contextmanager
def drawing(width: float, height: float, **options: Any) -> Iterator[Any]:
    """A matplotlib figure of this size in inches; what is drawn and written inside has the pages' style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained", **options)


def colour(run: str) -> str:
    """The colour of a run, the same in every plot."""
    return COLOURS.get(run, "#b5651d")


def whiskers(rates: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Lengths of the whiskers below and above values with ``low`` and ``high``, in percent."""
    below = [max(0.0, 100 * (r["value"] - r["low"])) for r in rates]
    return [below, [max(0.0, 100 * (r["high"] - r["value"])) for r in rates]]


def said(rate: Mapping[str, Any]) -> str:
    """A rate in words, for alternative texts."""
    return f"{100 * rate['value']:.1f} percent (interval {100 * rate['low']:.1f} to {100 * rate['high']:.1f})"
