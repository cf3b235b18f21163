"""Harmful responses against over-refusal: what safety costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.eval.report.svg import INK, Plot, colour, drawing, said, to_svg, whiskers


def trade_off(summary: Mapping[str, Any]) -> Plot | None:
    """One point per run with whiskers, and hollow ones for what the paper reports; None without both rates."""
    found = {
        run: (one["metrics"]["over_refusal"], one["metrics"]["harmful_response"])
        for run, one in summary["runs"].items()
    }
    if any(rate["value"] is None for pair in found.values() for rate in pair):
        return None
    paper = summary.get("paper")
    name, published = (paper["backbone"], paper["results"]) if paper else ("", [])
    with drawing(7.2, 4.6) as figure:
        axes = figure.subplots()
        for run, pair in found.items():
            x, y = (100 * rate["value"] for rate in pair)
            across, up = (whiskers([rate]) for rate in pair)
            axes.errorbar(
                x,
                y,
                xerr=across,
                yerr=up,
                fmt="o",
                markersize=8,
                capsize=3,
                color=colour(run),
                label=f"{run}, measured",
            )
        if len(found) == 2:
            _arrow(axes, *([100 * rate["value"] for rate in pair] for pair in found.values()))
        for result in published:
            trained = result["training"] != "none"
            label = f"paper: {name}, {result['training'] if trained else 'no training'}"
            axes.plot(
                result["over_refusal"],
                result["harmful"],
                "D" if trained else "s",
                markersize=8,
                markerfacecolor="none",
                markeredgecolor=colour("tuned" if trained else "base"),
                markeredgewidth=1.6,
                label=label,
            )
        axes.set_xlim(-4, 104)
        axes.set_ylim(-4, 104)
        axes.set_xlabel("over-refusal, percent (lower is better)")
        axes.set_ylabel("harmful responses, percent (lower is better)")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=INK, alpha=0.12, linewidth=0.6)
        shown = sorted(zip(*axes.get_legend_handles_labels(), strict=True), key=lambda one: one[1].startswith("paper"))
        figure.legend(*zip(*shown, strict=True), loc="outside upper center", ncols=2, frameon=False)
        svg = to_svg(figure)
    words = [f"{run}: harmful responses {said(y)}, over-refusal {said(x)}" for run, (x, y) in found.items()]
    words += [
        f"the paper's {name}, {'no training' if r['training'] == 'none' else r['training']}: "
        f"harmful {r['harmful']} percent, over-refusal {r['over_refusal']} percent"
        for r in published
    ]
    return Plot(
        svg, f"Harmful responses against over-refusal, both better when lower. {'; '.join(words)}.", _note(paper)
    )


def _arrow(axes: Any, start: list[float], end: list[float]) -> None:
    if start != end:
        style = {"arrowstyle": "->", "color": INK, "alpha": 0.45, "shrinkA": 9, "shrinkB": 9}
        axes.annotate("", xy=end, xytext=start, arrowprops=style)


def _note(paper: Mapping[str, Any] | None) -> str:
    if not paper:
        return "Whiskers: 95 % Wilson intervals. The paper has no numbers for this backbone, so none are drawn in."
    return (
        f"Whiskers: 95 % Wilson intervals. Hollow markers are the paper's numbers for {paper['backbone']} "
        f"({paper['source']}). They were measured with other sets and other judges than this run: they say where the "
        "method landed there, not what this run should give."
    )
