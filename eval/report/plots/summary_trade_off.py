"""The trade-off of one evaluation, with the paper's points where the paper has the model."""

from __future__ import annotations

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
    return trade_off(points, (), _published(paper) if paper else (), arrow, _caption(paper))


def _published(paper: PaperResults) -> list[Published]:
    found = []
    for result in paper.results:
        training = result.training if result.trained else "no training"
        found.append(
            Published(
                over_refusal=result.over_refusal,
                harmful=result.harmful,
                colour=colour("tuned" if result.trained else "base"),
                marker="D" if result.trained else "s",
                legend=f"paper: {paper.backbone}, {training}",
                words=f"the paper's {paper.backbone}, {training}: harmful {result.harmful} percent, "
                f"over-refusal {result.over_refusal} percent",
            )
        )
    return found


def _caption(paper: PaperResults | None) -> str:
    if not paper:
        return "Whiskers: 95 % Wilson intervals. The paper reports no numbers for this model."
    return (
        f"Whiskers: 95 % Wilson intervals. Hollow markers are the paper's numbers for {paper.backbone} "
        f"({paper.source}). The paper used other sets and other judges, so its numbers are not a target for this run."
    )
