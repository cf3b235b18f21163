"""Every set in one plot: both runs with intervals, and beside them the paired difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.eval.report.svg import INK, Plot, colour, drawing, said, to_svg, whiskers
from axolotl_alttrain.eval.results.summary_tables import p_value, tests_by_set

_TITLES = {
    "harmful_response": "harmful responses (lower is better)",
    "attack_success": "harmful responses under attack (lower is better)",
    "over_refusal": "over-refusal (lower is better)",
    "accuracy": "accuracy (higher is better)",
}


def forest(summary: Mapping[str, Any]) -> Plot:
    """One row per set, grouped by what is measured there; graded sets show their mean."""
    runs = summary["runs"]
    of_set = {name: {run: runs[run]["by_set"][name] for run in runs} for name in summary["sets"]}
    measures = {name: next(iter(entries.values()))["measure"] for name, entries in of_set.items()}
    order = [*_TITLES, *dict.fromkeys(m for m in measures.values() if m not in _TITLES)]
    rows: list[str | None] = []  # None is the gap in which a group's title stands
    titles: dict[int, str] = {}
    for measure in order:
        names = [name for name in of_set if measures[name] == measure]
        if names:
            titles[len(rows)] = _TITLES.get(measure, f"{measure}, mean (higher is better)")
            rows += [None, *names]
    tests = tests_by_set(summary)
    paired = {name: tests.get((measures[name], name)) for name in of_set}
    compared = any(paired.values())

    with drawing(9 if compared else 7, 0.33 * len(rows) + 1.3) as figure:
        panels = figure.subplots(
            1, 2 if compared else 1, sharey=True, squeeze=False, width_ratios=[5, 4][: 1 + compared]
        )
        left = panels[0][0]
        _rates(left, rows, of_set)
        for place, title in titles.items():
            left.text(0, place, title, fontsize=9, fontweight="bold", va="center")
        if compared:
            _differences(panels[0][1], rows, paired)
        if len(runs) > 1:
            figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=len(runs), frameon=False)
        svg = to_svg(figure)
    words = [_words(name, measures[name], of_set[name], paired[name]) for name in rows if name]
    caption = "Left: 95 % Wilson intervals; of graded sets (diamonds) the mean with its bootstrap interval."
    if compared:
        caption += (
            " Right: tuned minus base over the same prompts, 95 % bootstrap intervals, with p adjusted over "
            "all of these tests (Holm)."
        )
    return Plot(svg, f"Forest plot of every set. {'; '.join(words)}.", caption)


def _rates(axes: Any, rows: list[str | None], of_set: Mapping[str, Mapping[str, Any]]) -> None:
    runs = list(next(iter(of_set.values())))
    for i, run in enumerate(runs):
        shift = 0.0 if len(runs) == 1 else 0.26 * (i - (len(runs) - 1) / 2)
        drawn = False
        for place, name in enumerate(rows):
            if name is None:
                continue
            entry = of_set[name][run]
            value = 100 * entry["rate"]["value"]
            axes.errorbar(
                value,
                place + shift,
                xerr=whiskers([entry["rate"]]),
                fmt="D" if entry["kind"] == "graded" else "o",
                markersize=5,
                capsize=2,
                color=colour(run),
                label=None if drawn else run,
            )
            drawn = True
    axes.set_yticks([i for i, name in enumerate(rows) if name], [_label(name, of_set[name]) for name in rows if name])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-3, 103)
    axes.set_xlabel("percent")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.6)


def _differences(axes: Any, rows: list[str | None], paired: Mapping[str, Mapping[str, Any] | None]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
    for place, name in enumerate(rows):
        test = paired[name] if name else None
        if test is None:
            continue
        value = 100 * test["difference"]
        ends = [[max(0.0, value - 100 * test["low"])], [max(0.0, 100 * test["high"] - value)]]
        axes.errorbar(value, place, xerr=ends, fmt="s", markersize=5, capsize=2, color=INK)
        shown = p_value(test["p_holm"])
        axes.text(1.02, place, shown, transform=axes.get_yaxis_transform(), fontsize=8.5, va="center")
    axes.text(1.02, 0, "p (Holm)", transform=axes.get_yaxis_transform(), fontsize=8.5, va="center", fontweight="bold")
    axes.set_xlim(-108, 108)
    axes.set_xticks(range(-100, 101, 50))
    axes.set_xlabel("tuned − base, percentage points")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.6)


def _label(name: str, entries: Mapping[str, Any]) -> str:
    first = next(iter(entries.values()))
    return f"{name} (n={first['rate']['total']})"


def _words(name: str, measure: str, entries: Mapping[str, Any], test: Mapping[str, Any] | None) -> str:
    parts = [f"{run} {said(one['rate'])}" for run, one in entries.items()]
    if test:
        parts.append(f"difference {100 * test['difference']:+.1f} points, adjusted p {p_value(test['p_holm'])}")
    return f"{name}, {measure.replace('_', ' ')}: {', '.join(parts)}"
