"""The results in the terminal."""

from __future__ import annotations

from axolotl_alttrain.eval.report.measured import measured, measured_beside
from axolotl_alttrain.eval.report.tables import Table, as_terminal
from axolotl_alttrain.eval.report.tables.summary_tables import (
    attacks_table,
    detectable,
    judges_table,
    lengths_table,
    missing_table,
    rates_table,
    repeats_table,
    sets_table,
)
from axolotl_alttrain.eval.results.summary import Summary
from rich.console import Console


def print_summary(console: Console, summary: Summary) -> None:
    """Print every table that has rows; results by set only where other sets than the embedded probes were asked."""
    only_probes = all(name.startswith("probe-") for name in summary.sets)
    tables: list[Table | str | None] = [
        f"{measured(summary)} {measured_beside(summary)}".rstrip(),
        rates_table(summary),
        detectable(summary),
        lengths_table(summary),
        judges_table(summary),
        repeats_table(summary),
        None if only_probes else sets_table(summary),
        attacks_table(summary),
        missing_table(summary),
    ]
    for one in tables:
        if one:
            console.print(one if isinstance(one, str) else as_terminal(one), markup=False)
