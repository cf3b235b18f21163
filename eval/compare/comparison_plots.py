"""A comparison in pictures: trade-off, rates over training steps, paired differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, pairwise
from math import ceil, hypot
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.compare.differences import OUTCOMES
from axolotl_alttrain.eval.compare.labels import NEAR, along, label_points
from axolotl_alttrain.eval.report.svg import COLOURS, INK, Plot, drawing, said, to_svg, whiskers
from axolotl_alttrain.eval.results.summary_tables import p_value, points

_REFERENCE = (COLOURS["base"], "D")
_PALETTE = ("#2f6fde", "#c9702b", "#2a9d6f", "#9b59b6", "#c2435b", "#7d8f1f")
_MARKERS = ("o", "s", "^", "v", "P", "X", "*")  # one more than colours: the pairs come round after 42 alone
_METRICS = {  # colour, marker and line of each outcome
    "harmful_response": ("#c2435b", "o", "-"),
    "over_refusal": ("#b07a14", "s", "--"),
    "capability": ("#2a9d6f", "^", "-."),
}


def trade_off(result: Mapping[str, Any]) -> Plot | None:
    """Harmful responses against over-refusal, checkpoints joined by their steps; None where no run has both rates."""
    runs = {
        name: (rates["over_refusal"], rates["harmful_response"])
        for name, rates in result["runs"].items()
        if rates["over_refusal"]["total"] and rates["harmful_response"]["total"]
    }
    if not runs:
        return None
    lines = {
        training: [(step, name) for step, name in points if name in runs]
        for training, points in result["trainings"].items()
    }
    on_line = {name: training for training, points in lines.items() for step, name in points if step}
    alone = [name for name in runs if name not in on_line and name != result["reference"]]
    looks = dict(zip((*lines, *alone), zip(cycle(_PALETTE), cycle(_MARKERS), strict=False), strict=False))
    looks[result["reference"]] = _REFERENCE
    # Many are hard to find by their looks alone: each has a letter, at its point and in the legend.
    letters = {name: _letter(i) for i, name in enumerate(alone)} if len(looks) > len(_PALETTE) else {}
    labels = _training_labels(lines)
    with drawing(7.2, 4.4 + 0.2 * ceil(len(looks) / 2)) as figure:
        axes = figure.subplots()
        for training, points in lines.items():
            places = [_place(runs[name]) for _, name in points]
            label = f"{labels[training]}, by training step"
            colour, marker = looks[training]
            axes.plot(*zip(*places, strict=True), color=colour, linewidth=1.4, marker=marker, label=label)
            for start, end in pairwise(places):
                if hypot(end[0] - start[0], end[1] - start[1]) > 2 * NEAR:
                    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
                    style = {"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0}
                    axes.annotate("", xy=middle, xytext=start, arrowprops=style)
        for name, rates in runs.items():
            x, y = _place(rates)
            reference = name == result["reference"]
            colour, marker = looks[name] if reference else looks[on_line.get(name, name)]
            title = f"{letters[name]}: {_short(name)}" if name in letters else _short(name)
            axes.errorbar(
                x,
                y,
                xerr=whiskers([rates[0]]),
                yerr=whiskers([rates[1]]),
                fmt=marker,
                markersize=7,
                capsize=2.5,
                elinewidth=0.8,
                color=colour,
                label=f"{title} (reference)" if reference else None if name in on_line else title,
            )
        steps = [
            (str(step), _place(runs[name]), looks[training][0])
            for training, points in lines.items()
            for step, name in points
            if step
        ]
        joined = [place for points in lines.values() for place in along([_place(runs[name]) for _, name in points])]
        steps += [(letter, _place(runs[name]), INK) for name, letter in letters.items()]
        label_points(axes, steps, [_place(rates) for rates in runs.values()] + joined)
        axes.set_xlim(-4, 104)
        axes.set_ylim(-4, 104)
        axes.set_xlabel("over-refusal, percent (lower is better)")
        axes.set_ylabel("harmful responses, percent (lower is better)")
        _clean(axes)
        handles, names = axes.get_legend_handles_labels()
        marks = [one[0] if isinstance(one, tuple) else one for one in handles]  # without whiskers over the marker
        figure.legend(marks, names, loc="outside upper center", ncols=2, frameon=False)
        svg = to_svg(figure)
    words = [f"{name}: harmful responses {said(y)}, over-refusal {said(x)}" for name, (x, y) in runs.items()]
    note = " Numbers at the points are training steps; lines join a training's checkpoints in order." if lines else ""
    note += " Letters at the points name the runs." if letters else ""
    return Plot(
        svg,
        f"Harmful responses against over-refusal, both better when lower. {'; '.join(words)}.",
        f"Whiskers: 95 % Wilson intervals.{note}",
    )


def over_steps(result: Mapping[str, Any]) -> Plot | None:
    """Each outcome over the steps of each training; None where there are no two checkpoints of one."""
    trainings = result["trainings"]
    if not trainings:
        return None
    labels, words = _training_labels(trainings), []
    columns = min(2, len(trainings))
    rows = ceil(len(trainings) / columns)
    with drawing(9, 3.2 * rows + 0.6) as figure:
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
        for axes, (training, points) in zip(panels, trainings.items(), strict=False):
            for m in OUTCOMES:
                measured = [(step, name, result["runs"][name][m.name]) for step, name in points]
                measured = [one for one in measured if one[2]["total"]]
                if not measured:
                    continue
                steps = [step for step, _, _ in measured]
                colour, marker, line = _METRICS[m.name]
                values, low, high = ([100 * r[part] for _, _, r in measured] for part in ("value", "low", "high"))
                label = f"{m.label} ({m.better} is better)"
                axes.plot(steps, values, color=colour, marker=marker, linestyle=line, label=label)
                axes.fill_between(steps, low, high, color=colour, alpha=0.16, linewidth=0)
                by_step = ", ".join(f"{_step(step, name)} {said(r)}" for step, name, r in measured)
                words.append(f"{labels[training]}, {m.label}: {by_step}")
            steps = [step for step, _ in points]
            ticks = _apart(steps, 14 // columns)
            axes.set_xticks(ticks, ["base" if step == 0 else str(step) for step in ticks])
            axes.set_ylim(-4, 104)
            axes.set_xlabel("training step")
            axes.set_ylabel("percent")
            if len(trainings) > 1:
                axes.set_title(labels[training], fontsize=10)
            _clean(axes)
        for axes in panels:  # places of the grid that no training fills
            axes.set_visible(False)
        handles = {
            label: handle
            for axes in figure.axes
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3, frameon=False)
        svg = to_svg(figure)
    return Plot(svg, f"Rates over training steps. {'; '.join(words)}.", "Bands: 95 % Wilson intervals at each step.")


def forest(result: Mapping[str, Any]) -> Plot | None:
    """Paired difference of each outcome for each run, with bootstrap interval and adjusted p; None without pairs."""
    rows: list[tuple[str, Mapping[str, Any]] | str] = []
    for m in OUTCOMES:
        tested = [(p["second"], p["metrics"][m.name]) for p in result["pairs"] if p["metrics"][m.name]["pairs"]]
        rows += [f"{m.label} ({m.better} is better)", *tested] if tested else []
    if not rows:
        return None
    words, title = [], ""
    with drawing(9, 0.34 * len(rows) + 0.9) as figure:
        axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=[5, 3])
        axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
        for place, row in enumerate(rows):
            if isinstance(row, str):
                title = row
                axes.text(-106, place, row, fontsize=9, fontweight="bold", va="center")
                continue
            name, test = row
            value, low, high = (100 * test[part] for part in ("difference", "low", "high"))
            ends = [[max(0.0, value - low)], [max(0.0, high - value)]]
            axes.errorbar(value, place, xerr=ends, fmt="s", markersize=5, capsize=2.5, color=INK)
            numbers = points(test)
            shown = p_value(test["p_holm"])
            beside.text(0.66, place, numbers, fontsize=9, va="center", ha="right")
            beside.text(1, place, shown, fontsize=9, va="center", ha="right")
            words.append(f"{title}, {name}: {numbers} points, adjusted p {shown}")
        beside.text(0.66, 0, "points", fontsize=9, va="center", ha="right", fontweight="bold")
        beside.text(1, 0, "p (Holm)", fontsize=9, va="center", ha="right", fontweight="bold")
        beside.set_axis_off()
        named = [
            (i, f"{_short(row[0])} (n={row[1]['pairs']})") for i, row in enumerate(rows) if not isinstance(row, str)
        ]
        axes.set_yticks([i for i, _ in named], [text for _, text in named])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-108, 108)
        axes.set_xticks(range(-100, 101, 50))
        axes.set_xlabel(f"difference from {_short(result['reference'])}, percentage points")
        _clean(axes, "x")
        svg = to_svg(figure)
    return Plot(
        svg,
        f"Paired differences from {result['reference']}. {'; '.join(words)}.",
        "Over the prompts that both runs answered: 95 % bootstrap intervals, and p adjusted over all of "
        "these tests (Holm).",
    )


def _place(rates: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[float, float]:
    return 100 * rates[0]["value"], 100 * rates[1]["value"]


def _letter(place: int) -> str:
    """A to Z, then A2 to Z2 and so on."""
    return f"{chr(ord('A') + place % 26)}{place // 26 + 1 if place >= 26 else ''}"


def _short(name: str) -> str:
    """The end of a long name, such as a path: it tells more than its beginning."""
    return name if len(name) <= 36 else f"…{name[-35:]}"


def _training_labels(trainings: Iterable[str]) -> dict[str, str]:
    """The last part of each training's name, or all of it where that is not enough to tell them apart."""
    trainings = list(trainings)
    short = {name: Path(name).name.rstrip("-_") or "checkpoints" for name in trainings}
    return {name: text if list(short.values()).count(text) == 1 else name for name, text in short.items()}


def _step(step: int, name: str) -> str:
    return f"step {step}" if step else name


def _apart(steps: Sequence[int], most: int) -> list[int]:
    """Steps whose labels do not run into one another; the last is always among them."""
    kept = [steps[-1]]
    for step in reversed(steps[:-1]):
        if kept[-1] - step >= (steps[-1] - steps[0]) / most:
            kept.append(step)
    return kept[::-1]


def _clean(axes: Any, grid: str = "both") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=INK, alpha=0.12, linewidth=0.6)
