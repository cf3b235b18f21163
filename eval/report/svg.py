"""What all plots share: colours, the drawing style, and a figure as inline SVG.

Plots have no background and their ink is the page's own colour, so that they read on light and dark and in print.
"""

from __future__ import annotations

import io
from typing import Any

COLOURS = {"base": "#8a8f98", "tuned": "#2f6fde"}
INK = "#123456"  # stands for the page's ink until the SVG is written
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "alttrain",
    "font.family": "sans-serif",
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def to_svg(figure: Any) -> str:
    """A matplotlib figure as an ``<svg>`` element, drawn under :data:`STYLE`."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")
