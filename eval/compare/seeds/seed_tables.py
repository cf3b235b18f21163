"""The tables of a comparison over seeds, and ``seeds.md``."""

from __future__ import annotations

from axolotl_alttrain.eval.compare.seeds.seed_comparison import Measure, SeedComparison, metric_of
from axolotl_alttrain.eval.report.tables import Cell, Column, Interval, Table, as_markdown, escaped
from axolotl_alttrain.eval.report.tables.numbers import NONE, p_text, points
from axolotl_alttrain.eval.report.tables.table import text_column
from axolotl_alttrain.eval.stats.over_seeds import SeedDifference, SeedMean

INTERVALS = (
    "Rates in percent. The first interval is over training seeds (95 %, Student's t: other seeds, these prompts), "
    "the second over prompts (95 %, Wilson's at the effective number of samples: other prompts, these trainings)."
)


def markdown(result: SeedComparison) -> str:
    """``seeds.md``: a table for a README, the value of each seed, and the differences."""
    parts = ["# Comparison over training seeds\n"]
    parts += [f"## {escaped(table.full_title)}\n\n{as_markdown(table)}" for table in tables(result)]
    return "\n".join(parts)


def tables(result: SeedComparison) -> list[Table]:
    """Means, single seeds, and the differences of every group from the reference."""
    others = [name for name in result.groups if name != result.reference]
    return [means_table(result), seeds_table(result), *(differences_table(result, name) for name in others)]


def means_table(result: SeedComparison) -> Table:
    """One row for each measure, one column for each group: for a README."""
    columns = [text_column("")]
    for name, group in result.groups.items():
        count = len(group.measures[0].seeds.values)
        columns.append(Column(f"{name}, mean of {count} seeds" if count > 1 else name))
    rows = []
    for number, measure in enumerate(result.groups[result.reference].measures):
        cells = [_mean(result, name, number) for name in result.groups]
        rows.append((label(measure), *cells))
    for sets in dict.fromkeys(sets for group in result.groups.values() for sets in group.areas):
        cells = [_area(group.areas.get(sets)) for group in result.groups.values()]
        rows.append((f"AUROC of the verdicts' scores, {sets}, higher is better", *cells))
    return Table(f"Rates over the {result.prompts:,} answers that all runs have", tuple(columns), tuple(rows),
                 notes=(INTERVALS, _weights(result)))  # fmt: skip


def _mean(result: SeedComparison, name: str, number: int) -> str:
    one = result.groups[name].measures[number]
    over_prompts = _bounds(one.prompts.low, one.prompts.high)
    if one.seeds.mean is None:
        return NONE
    return f"{100 * one.seeds.mean:.1f} {_bounds(one.seeds.low, one.seeds.high)} {over_prompts}".replace("  ", " ")


def _area(one: SeedMean | None) -> str:
    if one is None or one.mean is None:
        return NONE
    bounds = "" if one.low is None or one.high is None else f" [{one.low:.3f}, {one.high:.3f}]"
    return f"{one.mean:.3f}{bounds}"


def seeds_table(result: SeedComparison) -> Table:
    """The value of each seed, in the order of the folders."""
    trained = {name: group for name, group in result.groups.items() if len(group.measures[0].seeds.values) > 1}
    columns = [text_column("metric"), *(Column(f"{name}, each seed", "%") for name in trained)]
    rows = [
        (
            label(measure),
            *(", ".join(f"{100 * v:.1f}" for v in group.measures[number].seeds.values) for group in trained.values()),
        )
        for number, measure in enumerate(result.groups[result.reference].measures)
    ]
    folders = tuple(f"{name}: {', '.join(group.folders)}." for name, group in trained.items())
    return Table("Each seed", tuple(columns), tuple(rows), notes=folders)


def differences_table(result: SeedComparison, name: str) -> Table:
    """A group against the reference."""
    columns = (
        text_column("metric"),
        Column("difference over seeds", "points"),
        Column("p (Welch)", compact=True),
        Column("difference over prompts", "points"),
        Column("pairs", compact=True),
        Column("p (prompts)", compact=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            label(one),
            _points(one.seeds),
            p_text(one.seeds.p_value),
            points(one.prompts),
            str(one.prompts.pairs),
            p_text(one.prompts.p_value),
        )
        for one in result.groups[name].differences
    ]
    notes = (
        "Over seeds: Welch's t interval and test of the groups' means; a base is fixed. Over prompts: each prompt's "
        "answers averaged over the seeds, bootstrapped over prompts; sign-flip permutation test. The p-values are not "
        "corrected for their number.",
    )
    return Table(f"{name} against {result.reference}", columns, tuple(rows), "95 % intervals", notes)


def label(measure: Measure) -> str:
    """A measure in words."""
    metric = metric_of(measure)
    return f"{metric.label}, {measure.set}" if measure.set else f"{metric.label}, {metric.better} is better"


def _points(one: SeedDifference) -> Cell:
    if one.difference is None:
        return NONE
    low, high = (None if bound is None else 100 * bound for bound in (one.low, one.high))
    return Interval(100 * one.difference, low, high, signed=True)


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{100 * low:.1f}, {100 * high:.1f}]"


def _weights(result: SeedComparison) -> str:
    return "Weights: " + "; ".join(f"{name}: {group.weights}" for name, group in result.groups.items()) + "."
