"""The results in the terminal."""

from __future__ import annotations

from axolotl_alttrain.eval.report.measured import measured, measured_beside
from axolotl_alttrain.eval.report.tables import Table, as_terminal, summary_tables
from axolotl_alttrain.eval.report.tables.mode_tables import budget_table, mode_tables
from axolotl_alttrain.eval.results.summary import Summary
from rich.console import Console


def print_summary(console: Console, summary: Summary) -> None:
    """Print every table that has rows; results by set only where other sets than the embedded probes were asked."""
    only_probes = all(name.startswith("probe-") for name in summary.sets)
    tables: list[Table | str | None] = [
        f"{measured(summary)} {measured_beside(summary)}".rstrip(),
        summary.protocol,
        summary_tables.rates_table(summary),
        summary_tables.paper_table(summary),
        *mode_tables(summary),
        budget_table(summary),
        summary_tables.detectable(summary),
        summary_tables.lengths_table(summary),
        summary_tables.judges_table(summary),
        summary_tables.separation_table(summary),
        summary_tables.thoughts_table(summary),
        summary_tables.repeats_table(summary),
        None if only_probes else summary_tables.sets_table(summary),
        summary_tables.attacks_table(summary),
        summary_tables.missing_table(summary),
    ]
    for one in tables:
        if one:
            console.print(one if isinstance(one, str) else as_terminal(one), markup=False)
