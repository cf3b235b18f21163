"""How the model was made to think: on and off side by side, and under a limit."""

from __future__ import annotations

from axolotl_alttrain.eval.report.tables.numbers import p_heading, p_text, percent, points
from axolotl_alttrain.eval.report.tables.table import Cell, Column, Table, text_column
from axolotl_alttrain.eval.results.run_results import PairedRun
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import METRICS

NOT_APPLICABLE = "not applicable"


def mode_tables(summary: Summary) -> list[Table]:
    """Each paired comparison of modes; none where one mode was measured."""
    return [_table(summary, pair) for pair in summary.modes if pair.has_pairs]


def budget_table(summary: Summary) -> Table | None:
    """Rates with and without the completions whose thought reached its limit; None without a limit."""
    rows: list[tuple[Cell, ...]] = []
    for metric in METRICS:
        for run, found in summary.budget.items():
            every, rest = summary.runs[run].rate(metric.name), found.without[metric.name]
            if every.total:
                rows.append((metric.label, run, str(every.total), percent(every), str(rest.total), percent(rest)))
    columns = (
        *(text_column("metric"), text_column("run"), Column("n"), Column("all", "%")),
        *(Column("n without budgeted"), Column("without budgeted", "%")),
    )
    shares = "; ".join(f"{run} {one.budgeted.count:,} of {one.budgeted.total:,}" for run, one in summary.budget.items())
    limit = summary.settings.get("max_thought_tokens")
    note = f"Budgeted completions, whose thought was closed at {limit} tokens for the model to answer: {shares}."
    title = f"Thoughts of at most {limit} tokens"
    return Table(title, columns, tuple(rows), "95 % Wilson interval", (note,)) if rows else None


def _table(summary: Summary, pair: PairedRun) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for metric in METRICS:
        test, (first, second) = pair.metrics[metric.name], pair.rates[metric.name]
        if test.pairs:
            adjusted = "" if test.p_holm is None else p_text(test.p_holm)
            changes = f"{test.gained}, {test.lost}"
            numbers = (percent(first), percent(second), points(test), changes, p_text(test.p_value), adjusted)
            rows.append((metric.label, str(test.pairs), *numbers))
        elif first.total and metric.of_thought:
            rows.append((metric.label, "0", percent(first), NOT_APPLICABLE, "", "", "", ""))
    columns = (
        text_column("metric"),
        Column("pairs"),
        Column(pair.first, "%"),
        Column(pair.second, "%"),
        Column("difference", "points", compact=True),
        Column("gained, lost", compact=True),
        Column(p_heading(pair.metrics.values()), compact=True),
        Column("p (Holm)", compact=True),
    )
    modes = [summary.thinking.get(run, "on") for run in (pair.first, pair.second)]
    what = f"thinking {modes[1]} against {modes[0]}" if modes[0] != modes[1] else f"thinking {modes[0]}"
    return Table(f"{pair.second} against {pair.first}, {what}", columns, tuple(rows), "95 % Wilson interval")
