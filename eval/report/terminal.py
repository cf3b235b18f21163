"""The results in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.eval.results.summary_tables import (
    judges_table,
    missing_table,
    repeats_table,
    results_table,
    scenario_table,
    sets_table,
)
from rich.console import Console


def print_summary(console: Console, summary: Mapping[str, Any]) -> None:
    """Print every table that has rows."""
    console.print(results_table(summary))
    console.print(judges_table(summary))
    for table in (repeats_table(summary), sets_table(summary), scenario_table(summary), missing_table(summary)):
        if table is not None:
            console.print(table)
