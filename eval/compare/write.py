"""``python -m eval.run compare RUN [RUN ...]``: load, pair, write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.compare.comparison import Comparison
from axolotl_alttrain.eval.compare.comparison_page import write_page
from axolotl_alttrain.eval.compare.comparison_tables import markdown, notes, tables
from axolotl_alttrain.eval.compare.differences import compare_runs
from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.report.tables import as_terminal
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.progress import spoken
from axolotl_alttrain.storage.atomic import together, write_atomic
from axolotl_alttrain.storage.locks import only_writer


def compare(folders: Sequence[Path], out: Path, ignore: Sequence[str] = (), reference: str | None = None) -> Comparison:
    """Compare finished runs; print the tables and write ``compare.html``, ``compare.json`` and ``compare.md``.

    Args:
        folders: Of the runs.
        out: The folder for the three files; created if need be.
        ignore: Settings that may differ.
        reference: Name of the run that the others are compared with; None for the first.

    Raises:
        AltTrainError: A folder holds no finished run, or the runs cannot be paired.
    """
    console = Console(width=None if Console().is_terminal else 130)
    if out.exists() and not out.is_dir():
        raise AltTrainError(f"--out {out}: this is a file; give a folder for the results")
    with spoken(console, "comparing"):
        runs = load_runs(folders)
        result = compare_runs(runs, ignore, reference)
    with only_writer(out), together(), spoken(console, "writing the comparison"):
        write_atomic(out / "compare.json", result.as_json())
        write_atomic(out / "compare.md", markdown(result))
        write_page(out / "compare.html", result, runs, ignore)
    for table in tables(result):
        console.print(as_terminal(table))
    for note in notes(result):
        console.print(note, markup=False)
    console.print(f"written: {out}/compare.html, compare.json, compare.md")
    return result
