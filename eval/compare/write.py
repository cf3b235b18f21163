"""``python -m eval.run compare RUN [RUN ...]``: load, pair, write."""

from __future__ import annotations

import argparse

from axolotl_alttrain.eval.compare.comparison import Comparison
from axolotl_alttrain.eval.compare.comparison_page import write_page
from axolotl_alttrain.eval.compare.comparison_tables import markdown, notes, tables
from axolotl_alttrain.eval.compare.differences import compare_runs
from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.report.tables import as_terminal
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic


def compare(args: argparse.Namespace) -> Comparison:
    """Compare as the command line asks; writes ``compare.html``, ``compare.json`` and ``compare.md``."""
    console = Console(width=None if Console().is_terminal else 130)
    if args.out.exists() and not args.out.is_dir():
        raise AltTrainError(f"--out {args.out}: found a file; allowed: a folder for the results")
    runs = load_runs(args.folders)
    result = compare_runs(runs, args.ignore, args.reference)
    write_atomic(args.out / "compare.json", result.as_json())
    write_atomic(args.out / "compare.md", markdown(result))
    write_page(args.out / "compare.html", result, runs, args.ignore)
    for table in tables(result):
        console.print(as_terminal(table))
    for note in notes(result):
        console.print(note, markup=False)
    console.print(f"written: {args.out}/compare.html, compare.json, compare.md")
    return result
