"""Bars of every rate."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.report.plots.svg import INK, Plot, colour, drawing, percents, said, to_svg, whiskers
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import Metric


def rates(summary: Summary, metrics: Sequence[Metric]) -> Plot:
    """Horizontal bars, one group per metric, whiskers for the 95 % Wilson intervals."""
    runs = list(summary.runs)
    height = 0.8 / len(runs)
    with drawing(8.4, 0.29 * len(metrics) * len(runs) + 0.9) as figure:
        axes = figure.subplots()
        for i, run in enumerate(runs):
            found = [summary.runs[run].rate(m.name) for m in metrics]
            values = [percents(rate)[0] for rate in found]
            places = [row + i * height for row in range(len(metrics))]
            axes.barh(places, values, height * 0.92, label=run, color=colour(run))
            axes.errorbar(values, places, xerr=whiskers(found), fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
            for place, rate in zip(places, found, strict=True):
                value, _, high = percents(rate)
                if rate.value is None:  # a metric of the thought, in a run without one
                    continue
                axes.text(high + 1.2, place, f"{value:.1f}", va="center", fontsize=8.5)
        middle = height * (len(runs) - 1) / 2
        labels = [f"{m.label}\n({m.better} is better)" for m in metrics]
        axes.set_yticks([row + middle for row in range(len(metrics))], labels)
        axes.set_ylim(len(metrics) - 0.3, -0.6)
        axes.set_xlim(0, 108)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("percent, whiskers: 95 % Wilson interval")
        axes.spines[["top", "right"]].set_visible(False)
        if len(runs) > 1:
            figure.legend(loc="outside upper center", ncols=len(runs), frameon=False)
        svg = to_svg(figure)
    words = (
        f"{m.label}, {m.better} is better: "
        + ", ".join(f"{run} {said(summary.runs[run].rate(m.name))}" for run in runs)
        for m in metrics
    )
    return Plot(svg, f"Bars of every rate. {'; '.join(words)}.")
