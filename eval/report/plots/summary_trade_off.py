"""The trade-off of one evaluation, with the paper's points where the paper has the model."""

from __future__ import annotations

from itertools import cycle

from axolotl_alttrain.eval.report.plots.svg import Plot, colour
from axolotl_alttrain.eval.report.plots.trade_off import Point, Published, trade_off
from axolotl_alttrain.eval.results.summary import PaperResults, Summary


def summary_trade_off(summary: Summary) -> Plot | None:
    """One point per run, and hollow ones for what the paper reports; None without both rates."""
    points = {
        run: Point(
            over_refusal=one.rate("over_refusal"),
            harmful=one.rate("harmful_response"),
            colour=colour(run),
            marker="o",
            legend=f"{run}, measured",
        )
        for run, one in summary.runs.items()
    }
    if any(point.over_refusal.value is None or point.harmful.value is None for point in points.values()):
        return None
    start, *rest = points
    arrow = (start, rest[0]) if len(rest) == 1 else None
    paper = summary.paper
    return trade_off(points, (), _published(paper) if paper else (), arrow, _caption(summary))


def _published(paper: PaperResults) -> list[Published]:
    found: list[Published] = []
    others = cycle("v^<>pX")
    for result in paper.results:
        if result.over_refusal is None:
            continue
        own = result.training.startswith(paper.title)
        found.append(
            Published(
                over_refusal=result.over_refusal,
                harmful=result.harmful,
                colour=colour("base" if not result.trained else "tuned" if own else "other"),
                marker="s" if not result.trained else "D" if own else next(others),
                legend=f"paper: {paper.backbone}, {result.words}",
                words=f"the paper's {paper.backbone}, {result.words}: harmful {result.harmful} percent, "
                f"over-refusal {result.over_refusal} percent",
            )
        )
    return found


def _caption(summary: Summary) -> str:
    paper, whiskers = summary.paper, "Whiskers: 95 % Wilson intervals."
    if not paper:
        return f"{whiskers} The paper reports no numbers for this model."
    alike = "The paper used other sets and other judges, so its numbers are not a target for this run."
    if summary.protocol:
        alike = "This run follows the paper's protocol, except for what is said above."
    numbers = f"Hollow markers are the paper's numbers for {paper.backbone} ({paper.source})."
    return f"{whiskers} {numbers} {alike}"
