"""``--list``: all sets, suites and attacks, without loading any."""

from __future__ import annotations

from typing import NamedTuple

from axolotl_alttrain.eval.prompts.attacks import ATTACKS
from axolotl_alttrain.eval.prompts.sets import EMBEDDED, specs, suites
from axolotl_alttrain.eval.protocols import protocols
from rich.console import Console
from rich.table import Table


class ListedSet(NamedTuple):
    """One row of the table of sets, its fields in the order of the columns."""

    set: str
    kind: str
    size: str
    licence: str
    judge: str
    commit: str
    suites: str
    description: str


def listing() -> list[ListedSet]:
    """The embedded sets, then the published ones."""
    rows = [
        ListedSet(name, kind, f"{size:,}", "Apache-2.0", ", ".join(judges), "here", _suites_with(name), about)
        for name, kind, size, judges, about in EMBEDDED
    ]
    for one in specs().values():
        licence = f"{one.licence}; gated" if one.gated else one.licence
        size = f"{one.size:,}" if one.size else "unknown"
        judge, commit, about = one.judged_by, one.commit[:7], f"{one.title}. {one.about}"
        rows.append(ListedSet(one.name, one.kind, size, licence, judge, commit, _suites_with(one.name), about))
    return rows


def print_listing() -> None:
    """Print the sets, suites, protocols and attacks."""
    console = Console(width=None if Console().is_terminal else 160)
    table = Table(title="sets", title_justify="left")
    for column in ListedSet._fields:
        table.add_column(column, justify="right" if column == "size" else "left")
    for row in listing():
        table.add_row(*row)
    console.print(table)
    console.print("[bold]suites[/bold]")
    for name, suite in suites().items():
        console.print(f"  {name}: {suite.about}", highlight=False)
    console.print("[bold]protocols[/bold]")
    for name, protocol in protocols().items():
        console.print(f"  {name}: {protocol.paper}", highlight=False)
    console.print(f"[bold]attacks[/bold]\n  {', '.join(ATTACKS)}", highlight=False)


def _suites_with(name: str) -> str:
    return ", ".join(suite for suite, content in suites().items() if name in content.sets)
