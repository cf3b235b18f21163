"""Trade-off plot: harmful responses against over-refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot
from typing import Any

from axolotl_alttrain.eval.report.plots.point_labels import NEAR, along, label_points
from axolotl_alttrain.eval.report.plots.svg import INK, Plot, drawing, percents, said, tidy, to_svg, whiskers
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate


@dataclass(frozen=True)
class Point:
    """A run.

    Attributes:
        over_refusal, harmful: Its rates, both with samples.
        colour, marker: Its look.
        legend: In the legend; None where a line stands for it.
        tag: Text at the point; empty for none.
        tag_colour: Of that text.
    """

    over_refusal: Rate
    harmful: Rate
    colour: str
    marker: str
    legend: str | None
    tag: str = ""
    tag_colour: str = ""

    @property
    def place(self) -> tuple[float, float]:
        """Coordinates in percent."""
        return percents(self.over_refusal)[0], percents(self.harmful)[0]


@dataclass(frozen=True)
class Line:
    """A line through runs in order, with arrows."""

    names: Sequence[str]
    colour: str
    marker: str
    legend: str


@dataclass(frozen=True)
class Published:
    """A point from elsewhere, drawn hollow: coordinates in percent, look, and name in the legend and in words."""

    over_refusal: float
    harmful: float
    colour: str
    marker: str
    legend: str
    words: str


def trade_off(
    points: Mapping[str, Point],
    lines: Sequence[Line] = (),
    published: Sequence[Published] = (),
    arrow: tuple[str, str] | None = None,
    caption: str = "",
) -> Plot:
    """Draw runs with whiskers, lines between them, and published points.

    Args:
        points: By run, at least one.
        lines: Through runs of ``points``.
        published: Points from elsewhere.
        arrow: Two runs that one arrow joins.
        caption: Of the plot.
    """
    entries = len(lines) + len(published) + sum(point.legend is not None for point in points.values())
    with drawing(7.2, 4.4 + 0.2 * ceil(entries / 2)) as figure:
        axes = figure.subplots()
        for line in lines:
            _draw_line(axes, line, [points[name].place for name in line.names])
        for point in points.values():
            _draw_point(axes, point)
        if arrow and points[arrow[0]].place != points[arrow[1]].place:
            _arrow(axes, points[arrow[0]].place, points[arrow[1]].place, colour=INK)
        for one in published:
            look = {"markersize": 8, "markerfacecolor": "none", "markeredgecolor": one.colour, "markeredgewidth": 1.6}
            axes.plot(one.over_refusal, one.harmful, one.marker, label=one.legend, **look)
        _label(axes, points, lines)
        axes.set_xlim(-4, 104)
        axes.set_ylim(-4, 104)
        axes.set_xlabel("over-refusal, percent (lower is better)")
        axes.set_ylabel("harmful responses, percent (lower is better)")
        tidy(axes)
        _legend(figure, axes, {one.legend for one in published})
        svg = to_svg(figure)
    words = [
        f"{name}: harmful responses {said(point.harmful)}, over-refusal {said(point.over_refusal)}"
        for name, point in points.items()
    ]
    words += [one.words for one in published]
    return Plot(svg, f"Harmful responses against over-refusal, both better when lower. {'; '.join(words)}.", caption)


def _draw_point(axes: Any, point: Point) -> None:
    axes.errorbar(
        *point.place,
        xerr=whiskers([point.over_refusal]),
        yerr=whiskers([point.harmful]),
        fmt=point.marker,
        markersize=7,
        capsize=2.5,
        elinewidth=0.8,
        color=point.colour,
        label=point.legend,
    )


def _draw_line(axes: Any, line: Line, places: Sequence[tuple[float, float]]) -> None:
    axes.plot(*zip(*places, strict=True), color=line.colour, linewidth=1.4, marker=line.marker, label=line.legend)
    for start, end in pairwise(places):
        if hypot(end[0] - start[0], end[1] - start[1]) > 2 * NEAR:
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
            style = {"arrowstyle": "->", "color": line.colour, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", xy=middle, xytext=start, arrowprops=style)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    style = {"arrowstyle": "->", "color": colour, "alpha": 0.45, "shrinkA": 9, "shrinkB": 9}
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


def _label(axes: Any, points: Mapping[str, Point], lines: Iterable[Line]) -> None:
    """Write the tags where they cover neither points nor lines."""
    joined = [place for line in lines for place in along([points[name].place for name in line.names])]
    tags = [(point.tag, point.place, point.tag_colour) for point in points.values() if point.tag]
    label_points(axes, tags, [point.place for point in points.values()] + joined)


def _legend(figure: Any, axes: Any, last: set[str]) -> None:
    found = sorted(zip(*axes.get_legend_handles_labels(), strict=True), key=lambda one: one[1] in last)
    # Without the whiskers, which would cover the marker.
    marks = [handle[0] if isinstance(handle, tuple) else handle for handle, _ in found]
    figure.legend(marks, [label for _, label in found], loc="outside upper center", ncols=2, frameon=False)
