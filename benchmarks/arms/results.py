"""All arms as data, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.report.tables import Cell, Column, Interval, Table
from axolotl_alttrain.eval.report.tables.numbers import NONE, percent
from axolotl_alttrain.eval.report.tables.table import text_column
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.over_seeds import mean_over_seeds
from pydantic import BaseModel, JsonValue

from .evaluation import AREAS, RATES, Measured
from .training import Training


class Run(BaseModel, frozen=True):
    """One training of an arm: its seed, or the folder where it was trained beforehand, and its results by form."""

    seed: str
    training: Training
    forms: dict[str, Measured]


class ArmResult(BaseModel, frozen=True):
    """What is known of an arm.

    Attributes:
        name, why, recipe: The arm.
        runs: Its trainings.
        failed: By seed and form, why there is no result.
    """

    name: str
    why: str
    recipe: dict[str, JsonValue]
    runs: list[Run] = []
    failed: dict[str, str] = {}

    def forms(self) -> list[str]:
        """The forms that some training was measured in."""
        return list(dict.fromkeys(form for run in self.runs for form in run.forms))


class Results(BaseModel, frozen=True):
    """``arms.json``.

    Attributes:
        command: That made it.
        suite: The probe sets, and thereby the halves that were asked.
        limit, max_new_tokens: Of the evaluations.
        steps: After which trainings ended; None for their epochs.
        base: The model before training, by how it was loaded.
        arms: In the order of the file.
        hardware, packages: Of this machine.
    """

    command: str
    suite: str
    limit: int | None
    max_new_tokens: int
    steps: int | None = None
    base: dict[str, Measured]
    arms: list[ArmResult]
    hardware: dict[str, JsonValue]
    packages: dict[str, str]


def table(results: Results) -> Table:
    """One row for each arm and form, the base first."""
    titles = [Column(title, "%") for title in RATES.values()] + [Column(title) for title in AREAS.values()]
    columns = [text_column("arm"), text_column("weights"), Column("seeds"), *titles]
    columns += [Column("trained tokens/s"), Column("minutes")]
    rows: list[tuple[Cell, ...]] = [
        ("base", form, NONE, *_cells([one]), NONE, NONE) for form, one in results.base.items()
    ]
    for arm in results.arms:
        for form in arm.forms():
            runs = [run for run in arm.runs if form in run.forms]
            times = (
                _mean([run.training.tokens_per_second for run in runs]),
                _mean([run.training.minutes for run in runs]),
            )
            rows.append((arm.name, form, str(len(runs)), *_cells([run.forms[form] for run in runs]), *times))
        if not arm.runs:
            rows.append((arm.name, *[NONE] * (len(columns) - 1)))
    failed = [f"{arm.name}, {where}: {reason}." for arm in results.arms for where, reason in arm.failed.items()]
    intervals = "95 %; one seed: Wilson's over prompts; several: Student's over seeds"
    return Table(f"Arms on the suite {results.suite}", tuple(columns), tuple(rows), intervals, tuple(failed))


def _cells(some: Sequence[Measured]) -> list[Cell]:
    """The cells of the rates and areas of all seeds of an arm."""
    return [_rate_cell([one.rates[name] for one in some if name in one.rates]) for name in RATES] + [
        _area_cell([one.areas[name] for one in some if name in one.areas]) for name in AREAS
    ]


def _rate_cell(rates: Sequence[Rate]) -> Cell:
    known = [rate.value for rate in rates if rate.value is not None]
    return percent(rates[0]) if len(rates) == 1 else _over_seeds([100 * value for value in known], 100, 1)


def _area_cell(areas: Sequence[float]) -> Cell:
    return _over_seeds(areas, 1, 3)


def _over_seeds(values: Sequence[float], highest: float, digits: int) -> Cell:
    found = mean_over_seeds(values, 0, highest)
    return Interval(found.mean, found.low, found.high, digits)


def _mean(values: Sequence[float | None]) -> Cell:
    return Interval(
        mean_over_seeds([value for value in values if value is not None], highest=float("inf")).mean, None, None
    )


def markdown_head(results: Results) -> str:
    """What stands above the table: command, machine, and the arms with their reasons."""
    gpus = results.hardware.get("gpus")
    machine = ", ".join(map(str, gpus)) if isinstance(gpus, list) and gpus else f"{results.hardware['cpus']} CPU cores"
    asked = f"{results.limit} prompts of each set" if results.limit else "all prompts"
    trained = f", trainings of {results.steps} steps" if results.steps else ""
    lines = [
        f"`{results.command}`: {asked} of the suite `{results.suite}`, greedy, at most {results.max_new_tokens} new "
        f"tokens, {machine}{trained}. Intervals are 95 %: over prompts (Wilson) for one seed, over seeds (Student's t) "
        "for more.",
        "",
        *(f"- **{arm.name}**: {arm.why}" for arm in results.arms),
    ]
    return "\n".join(lines) + "\n"


def draw(results: Results, path: Path) -> None:
    """Harmful and contrast prompts answered against over-refusal: each arm a number, its seeds small points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.2), layout="constrained")
    panels: Sequence[Any] = figure.subplots(1, 2, sharex=True)
    shown = [("base", form, [one]) for form, one in results.base.items()] + [
        (arm.name, form, [run.forms[form] for run in arm.runs if form in run.forms])
        for arm in results.arms
        for form in arm.forms()
    ]
    for axes, kind in zip(panels, ("harmful", "contrast"), strict=True):
        for number, (name, form, some) in enumerate(shown):
            pairs = [
                (one.rates["benign"].value, one.rates[kind].value) for one in some if {"benign", kind} <= {*one.rates}
            ]
            known = [(100 * x, 100 * y) for x, y in pairs if x is not None and y is not None]
            if not known:
                continue
            middle = tuple(sum(values) / len(known) for values in zip(*known, strict=True))
            label = f"{number} {name}" + ("" if form == "as-trained" else f", {form}")
            colour, marker = f"C{number % 10}", "o" if form == "as-trained" else "s" if name == "base" else "^"
            axes.plot(*middle, marker, color=colour, markersize=8, label=label)
            axes.annotate(str(number), middle, xytext=(6, 4), textcoords="offset points", fontsize=8)
            if len(known) > 1:
                axes.plot(*zip(*known, strict=True), ".", color=colour, alpha=0.6)
        axes.set(xlabel="over-refusal, %", ylabel=f"{RATES[kind]}, %", xlim=(-2, None), ylim=(-2, 102))
        axes.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)
