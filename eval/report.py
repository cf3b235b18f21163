"""The one-page HTML report: self-contained, works offline."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from axolotl_alttrain.files import write_whole

from .metrics import METRICS, Metric, Scored
from .table import p_value, percent

_COLOURS = {"base": "#8a8f98", "tuned": "#2f6fde"}
SAMPLES_SHOWN = 8


def write_report(path: Path, summary: Mapping[str, Any], scored: Sequence[Scored]) -> None:
    """Write ``report.html``: headline, bars with intervals, table, and some samples, answers folded."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(("html", "j2")), trim_blocks=True
    )
    shown = [m for m in METRICS if next(iter(summary["runs"].values()))["metrics"][m.name]["total"]]
    page = environment.get_template("report.html.j2").render(
        summary=summary,
        metrics=shown,
        percent=percent,
        p_value=p_value,
        headline=headline(summary),
        bars=Markup(bars_svg(summary, shown)),  # made here, from numbers and our own labels
        samples=_changed_first(scored),
    )
    write_whole(path, page)


def headline(summary: Mapping[str, Any]) -> str:
    """One sentence: how much safer, and what it cost."""
    runs = summary["runs"]

    def change(name: str) -> str | None:
        values = [runs[run]["metrics"][name]["value"] for run in ("base", "tuned")]
        return None if None in values else f"{100 * values[0]:.1f} % → {100 * values[1]:.1f} %"

    if "tuned" not in runs:
        return "One model, no adapter: nothing to compare."
    names = {"harmful_response": "Harmful responses", "over_refusal": "over-refusal", "capability": "capability"}
    parts = [f"{label} {text}" for name, label in names.items() if (text := change(name))]
    return ", ".join(parts) + "." if parts else "No rates to compare."


def bars_svg(summary: Mapping[str, Any], metrics: Sequence[Metric]) -> str:
    """Horizontal bars, one group per metric, whiskers for the 95 % Wilson intervals, as inline SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    runs = list(summary["runs"])
    height = 0.8 / len(runs)
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "alttrain", "font.family": "sans-serif", "font.size": 10}
    ):
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
            axes.barh(places, values, height * 0.92, label=run, color=_COLOURS.get(run, "#555"))
            axes.errorbar(values, places, xerr=errors, fmt="none", ecolor="#222", elinewidth=1, capsize=2.5)
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
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _changed_first(scored: Sequence[Scored]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Some prompts of each set with what each run said; those whose judgement changed come first."""
    pairs: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        pairs.setdefault((one.prompt.set, one.prompt.id), []).append(one)

    def outcome(one: Scored) -> object:
        return one.right if one.prompt.kind == "capability" else one.judgement

    groups: dict[str, list[list[Scored]]] = {}
    for (name, _), both in pairs.items():
        groups.setdefault(name, []).append(both)
    result = []
    for name, members in groups.items():
        members.sort(key=lambda both: len({outcome(one) for one in both}) == 1)
        rows = [
            {"instruction": both[0].prompt.instruction, "category": both[0].prompt.category, "runs": both}
            for both in members[:SAMPLES_SHOWN]
        ]
        result.append((name, rows))
    return result
