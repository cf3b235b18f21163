"""Attack success by set and scenario."""

from __future__ import annotations

from collections.abc import Mapping

from axolotl_alttrain.eval.report.plots.svg import Plot, drawing, percents, to_svg
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate


def attacks(summary: Summary) -> Plot | None:
    """A heat map per run, scenarios by sets, with the value in each cell; None with fewer than two scenarios."""
    runs = {run: one.by_attack for run, one in summary.runs.items()}
    cells = next(iter(runs.values()))
    scenarios = list(dict.fromkeys(scenario for row in cells.values() for scenario in row))
    if len(scenarios) < 2:
        return None
    sets = list(cells)
    # Side by side if the page is wide enough, otherwise one below the other.
    beside = len(sets) * len(runs) <= 8
    shape = (1, len(runs)) if beside else (len(runs), 1)
    width = 2.0 + max(0.78 * len(sets), 1.6) * shape[1]
    height = (0.38 * len(scenarios) + 0.4) * shape[0] + 1.1
    with drawing(max(width, 4.5), height) as figure:
        panels = figure.subplots(*shape, squeeze=False, sharey=beside)
        for axes, (run, found) in zip(panels.flat, runs.items(), strict=True):
            values = [[_value(found, name, scenario) for name in sets] for scenario in scenarios]
            shades = [[float("nan") if v is None else v for v in row] for row in values]
            axes.pcolormesh(shades, cmap="YlOrRd", vmin=0, vmax=100, edgecolors="white", linewidth=1)
            for i, row in enumerate(values):
                for j, value in enumerate(row):
                    if value is not None:
                        ink = (
                            "white" if value > 60 else "#1c2026"
                        )  # legible on the cell's own colour, in both colour schemes
                        axes.text(j + 0.5, i + 0.5, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=9)
            axes.set_title(run, fontsize=10)
            axes.set_xticks([j + 0.5 for j in range(len(sets))], sets, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks([i + 0.5 for i in range(len(scenarios))], scenarios)
            axes.tick_params(length=0)
            axes.set_ylim(len(scenarios), 0)
            axes.spines[:].set_visible(False)
        svg = to_svg(figure)
    words = [
        f"{run}, {name}: " + ", ".join(f"{scenario} {percents(rate)[0]:.0f}" for scenario, rate in row.items())
        for run, found in runs.items()
        for name, row in found.items()
    ]
    totals = [rate.total for found in runs.values() for row in found.values() for rate in row.values()]
    caption = (
        "Share of harmful responses, in percent, by set and attack scenario; an empty cell was not evaluated. "
        f"Samples in a cell: {min(totals)}{f' to {max(totals)}' if max(totals) > min(totals) else ''}."
    )
    return Plot(svg, f"Heat map of attack success in percent. {'; '.join(words)}.", caption)


def _value(found: Mapping[str, Mapping[str, Rate]], name: str, scenario: str) -> float | None:
    rate = found.get(name, {}).get(scenario)
    return None if rate is None else percents(rate)[0]
