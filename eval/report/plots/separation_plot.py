"""What the verdicts' scores can tell: ROC curves with the model's own line on them, and their calibration."""

from __future__ import annotations

from axolotl_alttrain.eval.report.plots.svg import Plot, drawing, tidy, to_svg
from axolotl_alttrain.eval.results.summary import Summary

_COLOURS = ("#2f6fde", "#b5651d", "#7c818a", "#2e8b57", "#8a5fbf", "#c2455e")
_CAPTION = (
    "Left: harmful prompts found against benign ones taken for harmful, at every threshold of the score. Dots: the "
    "model's own decisions. Rings: the best threshold on these prompts, which is optimistic for others. Right: the "
    "share of harmful prompts among those with similar scores. It depends on the sizes of the two sets."
)


def separation(summary: Summary) -> Plot | None:
    """A curve for each run and each two sets; None without scores."""
    found = [(run, one) for run, results in summary.runs.items() for one in results.separation]
    if not found:
        return None
    words = []
    with drawing(8.4, 4.2 + 0.2 * len(found)) as figure:
        roc, calibration = figure.subplots(1, 2)
        for axes in (roc, calibration):
            axes.plot([0, 100], [0, 100], color="#7c818a", linewidth=0.8, linestyle=":")
            axes.set_xlim(-3, 103)
            axes.set_ylim(-3, 103)
            tidy(axes)
        for number, (run, one) in enumerate(found):
            colour, name = _COLOURS[number % len(_COLOURS)], f"{run}: {one.harmful}, {one.benign}"
            roc.step(*_percents(one.curve), color=colour, linewidth=1.4, where="post", label=name)
            for point, filled in ((one.own, True), (one.best, False)):
                place = 100 * (point.false_alarms.value or 0), 100 - 100 * (point.missed.value or 0)
                roc.plot(*place, "o", color=colour, markersize=8, markerfacecolor=colour if filled else "none")
            calibration.plot(*_percents([(b.mean, b.harmful.value or 0) for b in one.calibration]), "o-", color=colour)
            words.append(f"{name}: area {one.area.value:.3f} (interval {one.area.low:.3f} to {one.area.high:.3f})")
        roc.set_xlabel("benign taken for harmful, percent (lower is better)")
        roc.set_ylabel("harmful found, percent (higher is better)")
        calibration.set_xlabel('score: probability of "harmful", percent')
        calibration.set_ylabel("prompts that are harmful, percent")
        figure.legend(loc="outside upper center", ncols=1, frameon=False)
        svg = to_svg(figure)
    return Plot(svg, f"Area under the ROC curve of the verdicts' scores. {'; '.join(words)}.", _CAPTION)


def _percents(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [100 * x for x, _ in points], [100 * y for _, y in points]
