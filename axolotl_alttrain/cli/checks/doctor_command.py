"""``axolotl alttrain doctor``: check whether the machine and the recipe are ready for training."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from axolotl_alttrain import __version__
from axolotl_alttrain.cli.checks.environment_checks import (
    Check,
    check_bitsandbytes,
    check_gpu,
    check_launcher,
    check_packages,
)
from axolotl_alttrain.cli.json_output import console_beside, write_json
from axolotl_alttrain.cli.tested import this_environment

_SIGNS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "bold red")}


def run_doctor(config: Path | None = None, json_file: Path | None = None, console: Console | None = None) -> int:
    """Print one line per check.

    Args:
        config: A recipe to check; without one, only the machine is checked.
        json_file: Where to write versions and checks; ``-`` prints them and nothing else.
        console: Where to print.

    Returns:
        1 if there is a problem, otherwise 0.
    """
    console = console or console_beside(json_file)
    with Console(stderr=True).status("checking"):
        checks = list(all_checks(config))
    console.print(checks_table(checks))
    counts = {status: sum(check.status == status for check in checks) for status in _SIGNS}
    console.print(f"{counts['ok']} ok, {counts['warning']} warning(s), {counts['problem']} problem(s)")
    write_json(json_file, doctor_report(checks), console)
    return 1 if counts["problem"] else 0


def doctor_report(checks: Iterable[Check]) -> dict[str, Any]:
    """What a report about a problem needs: the package, the platform, versions, and the checks."""
    here = this_environment()
    return {
        "axolotl-alttrain": __version__,
        "platform": platform.platform(),
        "python": here.python,
        "packages": here.packages,
        "checks": [asdict(check) for check in checks],
    }


def all_checks(config: Path | None) -> Iterator[Check]:
    """The checks of the machine, then those of the recipe."""
    yield from check_packages()
    yield check_launcher()
    yield check_gpu()
    yield check_bitsandbytes()
    if config is not None:
        from axolotl_alttrain.cli.checks.recipe_checks import check_recipe

        yield from check_recipe(config)


def checks_table(checks: Iterable[Check]) -> Table:
    """A table with one row per check: the finding and, below it, the remedy."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        sign, style = _SIGNS[check.status]
        found = Text(check.found)
        if check.remedy:
            found.append(f"\n→ {check.remedy}", style="bold")
        table.add_row(Text(sign, style=style), check.name, found)
    return table
