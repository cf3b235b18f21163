"""``--list``: all sets, suites and attacks, without loading any."""

from __future__ import annotations

from axolotl_alttrain.eval.prompts.attacks import ATTACKS
from axolotl_alttrain.eval.prompts.sets import listing, suites
from rich.console import Console
from rich.table import Table


def print_listing() -> None:
    """Print the sets, suites and attacks."""
    console = Console(width=None if Console().is_terminal else 160)
    table = Table(title="sets", title_justify="left")
    for column in ("set", "kind", "size", "licence", "judge", "commit", "suites", "description"):
        table.add_column(column, justify="right" if column == "size" else "left")
    for row in listing():
        cells = (row["set"], row["kind"], f"{row['size']:,}", row["licence"], row["judge"], row["commit"][:7])
        table.add_row(*cells, ", ".join(row["suites"]), row["about"])
    console.print(table)
    console.print("[bold]suites[/bold]")
    for name, suite in suites().items():
        console.print(f"  {name}: {suite['about']}", highlight=False)
    console.print(f"[bold]attacks[/bold]\n  {', '.join(ATTACKS)}", highlight=False)
