"""Forest plot: grouped rows, each with the runs' rates, the paired difference, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from axolotl_alttrain.eval.report.plots.svg import INK, colour, drawing, percents, spans, tidy, to_svg, whiskers
from axolotl_alttrain.eval.report.tables.numbers import cell_text, p_text, points
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest


@dataclass(frozen=True)
class ForestRow:
    """One row.

    Attributes:
        label: At the axis.
        rates: By run, for the left panel.
        test: The paired difference, for the right panel; None where there is none.
        diamond: The rates are means of a set scored by degree.
    """

    label: str
    rates: Mapping[str, Rate] = field(default_factory=dict)
    test: PairedTest | None = None
    diamond: bool = False


@dataclass(frozen=True)
class ForestGroup:
    """Rows under one title."""

    title: str
    rows: Sequence[ForestRow]


def forest(groups: Sequence[ForestGroup], difference: str) -> str:
    """Draw the plot; panels without content are left out.

    Args:
        groups: At least one, each with at least one row; all rows have the same runs.
        difference: What the axis of differences shows, without its unit.

    Returns:
        The ``<svg>`` element.
    """
    rows: list[ForestRow | str] = []
    for group in groups:
        rows += [group.title, *group.rows]
    runs = list(groups[0].rows[0].rates)
    compared = any(row.test for group in groups for row in group.rows)
    numbers = compared and not runs  # there is room for them where rates are not drawn
    widths = [5] * bool(runs) + [4 if runs else 5] * compared + [3] * numbers
    with drawing(9 if compared else 7, 0.33 * len(rows) + 1.3) as figure:
        panels = list(figure.subplots(1, len(widths), sharey=True, squeeze=False, width_ratios=widths)[0])
        if runs:
            _rates(panels[0], rows, runs)
        if compared:
            _differences(panels[bool(runs)], rows, f"{difference}, percentage points")
            _numbers(panels[-1], rows, beside=not numbers)
        first = panels[0]
        for place, row in enumerate(rows):
            if isinstance(row, str):
                first.text(0 if runs else -106, place, row, fontsize=9, fontweight="bold", va="center")
        named = [(i, row.label) for i, row in enumerate(rows) if isinstance(row, ForestRow)]
        first.set_yticks([i for i, _ in named], [label for _, label in named])
        first.set_ylim(len(rows) - 0.4, -0.6)
        if len(runs) > 1:
            handles = first.get_legend_handles_labels()
            figure.legend(*handles, loc="outside upper center", ncols=len(runs), frameon=False)
        return to_svg(figure)


def _rates(axes: Any, rows: Sequence[ForestRow | str], runs: Sequence[str]) -> None:
    for i, run in enumerate(runs):
        shift = 0.0 if len(runs) == 1 else 0.26 * (i - (len(runs) - 1) / 2)
        label: str | None = run  # in the legend once
        for place, row in enumerate(rows):
            if isinstance(row, str):
                continue
            rate = row.rates[run]
            axes.errorbar(
                percents(rate)[0],
                place + shift,
                xerr=whiskers([rate]),
                fmt="D" if row.diamond else "o",
                markersize=5,
                capsize=2,
                color=colour(run),
                label=label,
            )
            label = None
    axes.set_xlim(-3, 103)
    axes.set_xlabel("percent")
    tidy(axes, "x")


def _differences(axes: Any, rows: Sequence[ForestRow | str], label: str) -> None:
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
    for place, row in enumerate(rows):
        if isinstance(row, ForestRow) and row.test and row.test.difference is not None:
            below, above = spans(row.test.difference, row.test.low, row.test.high)
            ends = [[below], [above]]
            axes.errorbar(100 * row.test.difference, place, xerr=ends, fmt="s", markersize=5, capsize=2.5, color=INK)
    axes.set_xlim(-108, 108)
    axes.set_xticks(range(-100, 101, 50))
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    tidy(axes, "x")


def _numbers(axes: Any, rows: Sequence[ForestRow | str], beside: bool) -> None:
    """Adjusted p-values in text: beside the differences, or in a panel of their own together with the differences."""
    texts = [("", "p (Holm)") if i == 0 else _texts(row) for i, row in enumerate(rows)]
    for place, (numbers, p) in enumerate(texts):
        weight = "normal" if place else "bold"
        style = {"fontsize": 9, "va": "center", "fontweight": weight, "transform": axes.get_yaxis_transform()}
        if beside:
            axes.text(1.02, place, p, **style)
        else:
            axes.text(0.66, place, numbers or ("points" if place == 0 else ""), ha="right", **style)
            axes.text(1, place, p, ha="right", **style)
    if not beside:
        axes.set_axis_off()


def _texts(row: ForestRow | str) -> tuple[str, str]:
    if isinstance(row, str) or row.test is None:
        return "", ""
    return cell_text(points(row.test)), p_text(row.test.p_holm)
