"""The tables and notes of a comparison, and ``compare.md``."""

from __future__ import annotations

from collections.abc import Iterable

from axolotl_alttrain.eval.compare.comparison import Comparison, PairedRuns
from axolotl_alttrain.eval.report.tables import Cell, Column, Interval, Table, as_markdown, escaped
from axolotl_alttrain.eval.report.tables.numbers import detectable_text, p_heading, p_text, percent, points
from axolotl_alttrain.eval.report.tables.summary_tables import WILSON
from axolotl_alttrain.eval.report.tables.table import text_column
from axolotl_alttrain.eval.scoring.metrics import METRICS, OUTCOMES
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.eval.weights.form import shown

_HOLM = (
    "p (Holm): rows over all sets are adjusted over the outcomes of all compared runs, rows of a single set over the "
    "sets and outcomes of this run."
)


def markdown(result: Comparison) -> str:
    """``compare.md``: the tables and every flipped sample."""
    parts = ["# Comparison\n"]
    parts += [f"## {escaped(table.full_title)}\n\n{as_markdown(table)}" for table in tables(result)]
    parts += [f"{escaped(note)}\n" for note in notes(result)]
    parts += [f"## {escaped(table.title)}\n\n{as_markdown(table)}" for table in map(flips_table, result.pairs)]
    return "\n".join(parts)


def tables(result: Comparison) -> list[Table]:
    """The rates of all runs, then the paired differences of each other run."""
    return [rates_table(result), *map(differences_table, result.pairs), *_some(map(separation_table, result.pairs))]


def rates_table(result: Comparison) -> Table:
    """The outcomes' rates over the samples that all runs have."""
    columns = [text_column("run"), *(Column(m.label, "%", f"{m.better} is better") for m in OUTCOMES)]
    rows: list[tuple[Cell, ...]] = [
        (_shown(result, name), *(percent(rates[m.name], rates[m.name].total) for m in OUTCOMES))
        for name, rates in result.runs.items()
    ]
    if any(result.left_out.values()):
        columns.append(Column("answers left out"))
        rows = [(*row, f"{count:,}") for row, count in zip(rows, result.left_out.values(), strict=True)]
    over = f" over the {result.prompts:,} answers that all runs have" if len(rows) > 1 else ""
    return Table(f"Rates{over}, with n", tuple(columns), tuple(rows), WILSON)


def differences_table(pair: PairedRuns) -> Table:
    """Each metric over all sets, and below it the outcomes by set, if there are several.

    A set that is the only one would have the same test twice, adjusted in two ways.
    """
    rows: list[tuple[Cell, ...]] = []
    for m in METRICS:
        test = pair.metrics[m.name]
        if not test.pairs:
            continue
        least = pair.minimum_detectable.get(m.name)
        sets = [one for one in pair.by_set if one.metric == m.name]
        label = f"{m.label}, all" + (f" ({sets[0].set})" if len(sets) == 1 else "")
        rows.append(_difference(label, test, "" if least is None else detectable_text(least)))
        rows += [_difference(f"{m.label}, {one.set}", one) for one in sets if len(sets) > 1]
    # Sets scored by degree have a measure each, and so no row over all of them.
    known = {m.name for m in METRICS}
    rows += [_difference(f"{one.metric}, {one.set}", one) for one in pair.by_set if one.metric not in known]
    columns = (
        text_column("metric"),
        Column("pairs"),
        Column("difference", "points"),
        Column("gained, lost", compact=True),
        Column(p_heading([*pair.metrics.values(), *pair.by_set]), compact=True),
        Column("p (Holm)", compact=True),
        Column("detectable", "points", compact=True),
    )
    return Table(f"{pair.second} against {pair.first}", columns, tuple(rows), "95 % bootstrap interval", (_HOLM,))


def separation_table(pair: PairedRuns) -> Table | None:
    """What the verdicts' scores can tell, and unsafe thoughts; None where both runs have neither."""
    rows: list[tuple[Cell, ...]] = []
    for one in pair.separation:
        shown = Interval(one.area.difference, one.area.low, one.area.high, digits=3, signed=True)
        name = f"AUROC of verdicts: {one.harmful}, {one.benign}"
        rows.append((name, "+".join(map(str, one.pairs)), shown, p_text(one.area.p_value)))
    for test in pair.thoughts:
        behind = " behind safe answers" if test.metric == "unsafe_thought_only" else ""
        name = f"unsafe thoughts{behind}, points: {test.set}"
        rows.append((name, str(test.pairs), points(test), p_text(test.p_value)))
    columns = (text_column("measure"), Column("pairs"), Column("difference"), Column("p"))
    title = f"{pair.second} against {pair.first}: verdicts and thoughts"
    return Table(title, columns, tuple(rows), "95 % DeLong and bootstrap intervals") if rows else None


def _some(tables: Iterable[Table | None]) -> list[Table]:
    return [table for table in tables if table]


def detectable_table(result: Comparison) -> Table:
    """The smallest detectable difference of each outcome, with the number of pairs."""
    columns = [text_column("run")]
    for m in OUTCOMES:
        columns += [Column(m.label, "points"), Column("pairs")]
    rows = []
    for pair in result.pairs:
        cells = [
            text
            for m in OUTCOMES
            for text in (detectable_text(pair.minimum_detectable.get(m.name)), str(pair.metrics[m.name].pairs))
        ]
        rows.append((pair.second, *cells))
    return Table("Smallest detectable differences", tuple(columns), tuple(rows))


def flips_table(pair: PairedRuns) -> Table:
    """Every sample whose outcome changed."""
    columns = tuple(map(text_column, ("metric", "set", "id", "before, now", "prompt")))
    rows = tuple(
        (flip.metric, flip.set, flip.id, f"{', '.join(flip.outcomes)} ({flip.direction})", flip.instruction)
        for flip in pair.flips
    )
    return Table(f"Flipped from {pair.first} to {pair.second}", columns, rows)


def notes(result: Comparison) -> list[str]:
    """Sentences on the weights that were measured, on what else differs, and on what is not known."""
    old = ", ".join(result.unknown_rules)
    unknown = (
        [f"The versions of the metrics and judges of {old} are unknown; version 1 of each is assumed."] if old else []
    )
    return [_weights(result), *_not_compared(result), *unknown] + [
        f"{pair.second} and {pair.first} also differ in: "
        + "; ".join(f"{name}, {now} and {before}" for name, (before, now) in pair.also_differing.items())
        + "."
        for pair in result.pairs
        if pair.also_differing
    ]


def _weights(result: Comparison) -> str:
    """The form of the weights of every run."""
    names: dict[str, list[str]] = {}
    for name, origin in result.origins.items():
        names.setdefault(shown(origin.weights), []).append(name)
    return "Weights: " + "; ".join(f"{', '.join(some)}: {words}" for words, some in names.items()) + "."


def _not_compared(result: Comparison) -> list[str]:
    names: dict[tuple[str, ...], list[str]] = {}
    for name, forms in result.not_compared.items():
        names.setdefault(tuple(forms), []).append(name)
    return [f"Not compared, of {', '.join(some)}: {'; '.join(forms)}." for forms, some in names.items()]


def _shown(result: Comparison, name: str) -> str:
    """A run's name, whether it is the reference, and its folders where there are several."""
    mark = ", reference" if name == result.reference and len(result.runs) > 1 else ""
    folders = result.origins[name].folders
    places = f" (in {', '.join(folders)})" if len(folders) > 1 else ""
    return f"{name}{mark}{places}"


def _difference(label: str, test: PairedTest, least: str = "") -> tuple[Cell, ...]:
    adjusted = "" if test.p_holm is None else p_text(test.p_holm)
    changes = f"{test.gained}, {test.lost}"
    return label, str(test.pairs), points(test), changes, p_text(test.p_value), adjusted, least
