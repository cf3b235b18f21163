"""The result of a check in the terminal."""

from __future__ import annotations

from rich.console import Console

from axolotl_alttrain.eval.report.tables import Column, Table, as_terminal
from axolotl_alttrain.eval.report.tables.numbers import p_heading, p_text, percent, points
from axolotl_alttrain.eval.report.tables.table import Cell, text_column
from axolotl_alttrain.export_check.check_report import CheckReport, FirstDifference, ProbabilityGap

SHOWN = 5  # differences in the terminal; all are in the JSON file


def print_check(console: Console, report: CheckReport) -> None:
    """Print rates side by side, agreement, where completions part, and the conclusion."""
    for table in (rates_table(report), agreement_table(report), differences_table(report), missing_table(report)):
        if table.rows:
            console.print(as_terminal(table))
    for line in (*report.notes, conclusion(report)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def conclusion(report: CheckReport) -> str:
    """The result in one or two sentences."""
    if report.within:
        return f"The exported form is within {report.margin:g} points of the trained one."
    return f"The exported form differs by more than {report.margin:g} points: {'; '.join(report.exceeded)}."


def rates_table(report: CheckReport) -> Table:
    """Each rate of both forms, with the paired difference and its p-value."""
    columns = (
        *(text_column("rate"), Column("n"), Column("trained", "%"), Column("exported", "%")),
        *(Column("exported − trained", "points", compact=True), Column(p_heading(r.test for r in report.rates))),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *(one.label, str(one.test.pairs), percent(one.trained), percent(one.exported)),
            *(points(one.test), p_text(one.test.p_value)),
        )
        for one in report.rates
    ]
    notes = (f"trained: {report.trained.words}.", f"exported: {report.exported.words}.")
    return Table("Rates", columns, tuple(rows), "95 % Wilson interval", notes)


def agreement_table(report: CheckReport) -> Table:
    """Shares that agree, and the largest differences of probabilities."""
    shares = {
        "completions equal token for token": report.greedy,
        "verdicts of the thought": report.verdicts,
        "judgements of the answer": report.judgements,
        "rendered prompts": report.same_prompt,
    }
    rows: list[tuple[Cell, ...]] = [
        (name, str(one.total), percent(one)) for name, one in shares.items() if one and one.total
    ]
    gaps = {"first token": report.first_token, "word of verdict": report.verdict_token}
    rows += [(f"probability at the {name}", str(one.prompts), _gap(one)) for name, one in gaps.items() if one]
    notes = (f"Probabilities were not compared: {report.no_probabilities}.",) if report.no_probabilities else ()
    return Table(
        "Agreement", (text_column("of"), Column("n"), Column("same, %; or largest difference")), tuple(rows), "", notes
    )


def differences_table(report: CheckReport) -> Table:
    """Where the first completions part."""
    columns = (
        *(text_column("prompt"), Column("equal tokens"), text_column("trained"), text_column("exported")),
        *(Column("margin when trained", compact=True), Column("margin when exported", compact=True)),
    )
    rows = tuple(_difference(one) for one in report.differences[:SHOWN])
    more = len(report.differences) - len(rows)
    notes = ["Margins: log-probability of the form's own token minus that of the other form's, in nats."]
    if more:
        notes.insert(0, f"{more} more in the JSON file.")
    return Table("First differing tokens", columns, rows, "", tuple(notes))


def missing_table(report: CheckReport) -> Table:
    """What is unavailable, and why."""
    rows = tuple(report.missing.items())
    return Table("Missing", (text_column("missing"), text_column("reason")), rows, alarm=True)


def _gap(one: ProbabilityGap) -> str:
    return f"{one.largest:.4f}"


def _difference(one: FirstDifference) -> tuple[Cell, ...]:
    margins = (one.trained_margin, one.exported_margin)
    shown = ("–" if margin is None else f"{margin:.3f}" for margin in margins)
    return (f"{one.set} {one.id}", str(one.position), repr(one.trained), repr(one.exported), *shown)
