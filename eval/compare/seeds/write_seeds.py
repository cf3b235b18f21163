"""``python -m eval.run compare --seeds NAME=RUN RUN RUN``: load, compare, write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.compare.seeds.seed_comparison import SeedComparison, compare_groups
from axolotl_alttrain.eval.compare.seeds.seed_groups import load_groups, parse_groups
from axolotl_alttrain.eval.compare.seeds.seed_tables import markdown, tables
from axolotl_alttrain.eval.report.tables import as_terminal
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import together, write_atomic
from axolotl_alttrain.storage.locks import only_writer


def compare_seeds(
    seeds: Sequence[Sequence[str]],
    folders: Sequence[Path],
    out: Path,
    ignore: Sequence[str] = (),
    reference: str | None = None,
) -> SeedComparison:
    """Compare groups of trainings; print the tables and write ``seeds.json`` and ``seeds.md``.

    Args:
        seeds: Each group as the command line gives it, ``NAME=RUN`` and more folders.
        folders: Of single runs to compare as well.
        out: The folder for the two files; created if need be.
        ignore: Settings that may differ.
        reference: Name of the group that the others are compared with; None for the base or else the first.

    Raises:
        AltTrainError: A folder holds no finished run, or the runs cannot be paired.
    """
    if out.exists() and not out.is_dir():
        raise AltTrainError(f"--out {out}: this is a file; give a folder for the results")
    result = compare_groups(load_groups(parse_groups(seeds), folders, ignore), ignore, reference)
    with only_writer(out), together():
        write_atomic(out / "seeds.json", result.as_json())
        write_atomic(out / "seeds.md", markdown(result))
    console = Console(width=None if Console().is_terminal else 130)
    for table in tables(result):
        console.print(as_terminal(table))
    console.print(f"written: {out}/seeds.json, seeds.md")
    return result
