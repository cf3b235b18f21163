"""A comparison in plots: trade-off, rates over training steps, paired differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from math import ceil
from pathlib import Path

from axolotl_alttrain.eval.compare.comparison import Comparison
from axolotl_alttrain.eval.report.plots.forest import ForestGroup, ForestRow, forest
from axolotl_alttrain.eval.report.plots.svg import COLOURS, INK, Plot, drawing, percents, said, tidy, to_svg
from axolotl_alttrain.eval.report.plots.trade_off import Line, Point, trade_off
from axolotl_alttrain.eval.report.tables.numbers import cell_text, p_text, points
from axolotl_alttrain.eval.scoring.metrics import OUTCOMES

Look = tuple[str, str]  # colour and marker
_REFERENCE: Look = (COLOURS["base"], "D")
_PALETTE = ("#2f6fde", "#c9702b", "#2a9d6f", "#9b59b6", "#c2435b", "#7d8f1f")
_MARKERS = ("o", "s", "^", "v", "P", "X", "*")  # one more than colours, so that pairs repeat only after 42
_METRICS = {  # colour, marker and line of each outcome
    "harmful_response": ("#c2435b", "o", "-"),
    "over_refusal": ("#b07a14", "s", "--"),
    "capability": ("#2a9d6f", "^", "-."),
}


def runs_trade_off(result: Comparison) -> Plot | None:
    """Harmful responses against over-refusal, checkpoints joined in order; None where no run has both rates."""
    shown = [
        name for name, rates in result.runs.items() if rates["over_refusal"].total and rates["harmful_response"].total
    ]
    if not shown:
        return None
    checkpoints = {
        training: [(step, name) for step, name in found if name in shown]
        for training, found in result.trainings.items()
    }
    on_line = {name: training for training, found in checkpoints.items() for step, name in found if step}
    alone = [name for name in shown if name not in on_line and name != result.reference]
    looks = _looks([*checkpoints, *alone], result.reference)
    # Many runs are hard to tell apart by their looks: each has a letter, at its point and in the legend.
    letters = {name: _letter(i) for i, name in enumerate(alone)} if len(looks) > len(_PALETTE) else {}
    tags = {name: (str(step), looks[t][0]) for t, found in checkpoints.items() for step, name in found if step}
    tags |= {name: (letter, INK) for name, letter in letters.items()}
    plotted = {}
    for name in shown:
        reference = name == result.reference
        colour, marker = looks[name if reference else on_line.get(name, name)]
        title = f"{letters[name]}: {_short(name)}" if name in letters else _short(name)
        plotted[name] = Point(
            result.runs[name]["over_refusal"],
            result.runs[name]["harmful_response"],
            colour,
            marker,
            f"{title} (reference)" if reference else None if name in on_line else title,
            *tags.get(name, ("", "")),
        )
    labels = _training_labels(checkpoints)
    lines = [
        Line([name for _, name in found], *looks[training], f"{labels[training]}, by training step")
        for training, found in checkpoints.items()
        if found
    ]
    return trade_off(plotted, lines, caption=_trade_off_caption(bool(lines), bool(letters)))


def _looks(names: Sequence[str], reference: str) -> dict[str, Look]:
    looks = dict(zip(names, zip(cycle(_PALETTE), cycle(_MARKERS), strict=False), strict=False))
    return looks | {reference: _REFERENCE}


def _trade_off_caption(lines: bool, letters: bool) -> str:
    caption = "Whiskers: 95 % Wilson intervals."
    if lines:
        caption += " Numbers at the points are training steps; lines join a training's checkpoints in order."
    return caption + (" Letters at the points name the runs." if letters else "")


def over_steps(result: Comparison) -> Plot | None:
    """Each outcome over the steps of each training; None where there are no two checkpoints of one."""
    trainings = result.trainings
    if not trainings:
        return None
    labels, words = _training_labels(trainings), []
    columns = min(2, len(trainings))
    rows = ceil(len(trainings) / columns)
    with drawing(9, 3.2 * rows + 0.6) as figure:
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
        for axes, (training, checkpoints) in zip(panels, trainings.items(), strict=False):
            for m in OUTCOMES:
                measured = [(step, name, result.runs[name][m.name]) for step, name in checkpoints]
                measured = [one for one in measured if one[2].total]
                if not measured:
                    continue
                steps = [step for step, _, _ in measured]
                colour, marker, line = _METRICS[m.name]
                values, low, high = zip(*(percents(rate) for _, _, rate in measured), strict=True)
                label = f"{m.label} ({m.better} is better)"
                axes.plot(steps, values, color=colour, marker=marker, linestyle=line, label=label)
                axes.fill_between(steps, low, high, color=colour, alpha=0.16, linewidth=0)
                by_step = ", ".join(f"{_step(step, name)} {said(r)}" for step, name, r in measured)
                words.append(f"{labels[training]}, {m.label}: {by_step}")
            steps = [step for step, _ in checkpoints]
            ticks = _apart(steps, 14 // columns)
            axes.set_xticks(ticks, ["base" if step == 0 else str(step) for step in ticks])
            axes.set_ylim(-4, 104)
            axes.set_xlabel("training step")
            axes.set_ylabel("percent")
            if len(trainings) > 1:
                axes.set_title(labels[training], fontsize=10)
            tidy(axes)
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


def differences_plot(result: Comparison) -> Plot | None:
    """Paired difference of each outcome for each run, with its interval and adjusted p; None without pairs."""
    groups = []
    words = []
    for m in OUTCOMES:
        tested = [(pair.second, test) for pair in result.pairs if (test := pair.metrics[m.name]).pairs]
        if not tested:
            continue
        title = f"{m.label} ({m.better} is better)"
        rows = [ForestRow(label=f"{_short(name)} (n={test.pairs})", test=test) for name, test in tested]
        groups.append(ForestGroup(title, rows))
        words += [f"{title}, {n}: {cell_text(points(t))} points, adjusted p {p_text(t.p_holm)}" for n, t in tested]
    if not groups:
        return None
    return Plot(
        forest(groups, f"difference from {_short(result.reference)}"),
        f"Paired differences from {result.reference}. {'; '.join(words)}.",
        "Over the prompts that both runs answered: 95 % bootstrap intervals; p is adjusted over all of these tests "
        "(Holm).",
    )


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
