"""``python -m eval.run compare RUN [RUN ...]``: load, pair, write."""

from __future__ import annotations

import argparse
import json
from typing import Any

from axolotl_alttrain.eval.compare.comparison_page import write_page
from axolotl_alttrain.eval.compare.comparison_tables import markdown, notes, tables
from axolotl_alttrain.eval.compare.differences import compare_runs
from axolotl_alttrain.eval.compare.run_folders import load_runs
from rich.console import Console
from rich.table import Table

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Compare as the command line says; writes ``compare.html``, ``compare.json`` and ``compare.md``."""
    console = Console(width=None if Console().is_terminal else 130)
    if args.out.exists() and not args.out.is_dir():
        raise AltTrainError(f"--out {args.out}: found a file; allowed: a folder for the results")
    runs = load_runs(args.folders)
    result = compare_runs(runs, args.ignore, args.reference)
    write_atomic(args.out / "compare.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    write_atomic(args.out / "compare.md", markdown(result))
    write_page(args.out / "compare.html", result, runs, args.ignore)
    for title, header, rows in tables(result):
        table = Table(title=title, title_justify="left")
        for i, name in enumerate(header):
            table.add_column(name, justify="left" if i == 0 else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for note in notes(result):
        console.print(note)
    console.print(f"written: {args.out}/compare.html, compare.json, compare.md")
    return result
