"""Bars of every rate, and the trade-off, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics import Metric
from .svg import COLOURS, INK, STYLE, to_svg


def bars_svg(summary: Mapping[str, Any], metrics: Sequence[Metric]) -> str:
    """Horizontal bars, one group per metric, whiskers for the 95 % Wilson intervals, as inline SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    runs = list(summary["runs"])
    height = 0.8 / len(runs)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.42 * len(metrics) * len(runs) + 0.9), layout="constrained")
        axes = figure.subplots()
        for i, run in enumerate(runs):
            rates = [summary["runs"][run]["metrics"][m.name] for m in metrics]
            values = [100 * r["value"] for r in rates]
            errors = [
                [v - 100 * r["low"] for v, r in zip(values, rates, strict=True)],
                [100 * r["high"] - v for v, r in zip(values, rates, strict=True)],
            ]
            errors = [[max(0.0, e) for e in side] for side in errors]
            places = [row + i * height for row in range(len(metrics))]
            axes.barh(places, values, height * 0.92, label=run, color=COLOURS.get(run, "#555"))
            axes.errorbar(values, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
            for place, rate in zip(places, rates, strict=True):
                axes.text(100 * rate["high"] + 1.2, place, f"{100 * rate['value']:.1f}", va="center", fontsize=8.5)
        middle = height * (len(runs) - 1) / 2
        axes.set_yticks(
            [row + middle for row in range(len(metrics))],
            [f"{m.label}\n({m.better} is better)" for m in metrics],
        )
        axes.invert_yaxis()
        axes.set_xlim(0, 112)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("percent, whiskers: 95 % Wilson interval")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.06 + 0.12 / len(metrics)), ncols=2, frameon=False)
        return to_svg(figure)


def trade_off_svg(summary: Mapping[str, Any]) -> str:
    """Harmful responses against over-refusal, in percent, whiskers for the 95 % intervals; empty without both."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rates = {
        run: (found["metrics"]["over_refusal"], found["metrics"]["harmful_response"])
        for run, found in summary["runs"].items()
    }
    if any(rate["value"] is None for pair in rates.values() for rate in pair):
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 4.2), layout="constrained")
        axes = figure.subplots()
        for run, pair in rates.items():
            x, y = (100 * rate["value"] for rate in pair)
            across, up = (
                [[max(0.0, 100 * (r["value"] - r["low"]))], [max(0.0, 100 * (r["high"] - r["value"]))]] for r in pair
            )
            axes.errorbar(x, y, xerr=across, yerr=up, fmt="o", capsize=3, color=COLOURS.get(run, "#777"), label=run)
        axes.set_xlim(-3, 103)
        axes.set_ylim(-3, 103)
        axes.set_xlabel("over-refusal, percent (lower is better)")
        axes.set_ylabel("harmful responses, percent (lower is better)")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        return to_svg(figure)
