"""``python -m eval.run compare RUN [RUN ...]``: any runs that share prompts, paired."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.files import write_whole
from axolotl_alttrain.rows import read_jsonl

from .metrics import METRICS
from .pairing import compare_rows, pair_key
from .power import minimum_detectable_difference
from .statistics import rate
from .table import p_value, percent

OUTCOMES = METRICS[:3]


@dataclass(frozen=True)
class Run:
    """One run of one folder: its name, its rows of ``scored.jsonl`` and the settings it was generated with."""

    name: str
    rows: tuple[dict[str, Any], ...]
    settings: Mapping[str, Any]


def load_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs of all folders; one with base and tuned gives two.

    Raises:
        AltTrainError: A folder lacks a file, or its rows are of an older version.
    """
    runs = []
    for folder in folders:
        for name in ("summary.json", "scored.jsonl"):
            if not (folder / name).is_file():
                raise AltTrainError(f"{folder}: found no {name}; allowed: a folder that the evaluator has finished")
        try:
            summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        except ValueError as error:
            raise AltTrainError(f"{folder}/summary.json: not valid JSON ({error})") from None
        rows = [row for _, row in read_jsonl(folder / "scored.jsonl")]
        if any("metrics" not in row for row in rows):
            raise AltTrainError(
                f"{folder}/scored.jsonl: found rows without 'metrics', of an older version; run the same evaluation "
                "again, its samples are kept"
            )
        label = folder.name if sum(f.name == folder.name for f in folders) == 1 else str(folder)
        for name in summary["runs"]:
            full = label if list(summary["runs"]) == ["base"] else f"{label}:{name}"
            runs.append(
                Run(
                    full,
                    tuple(row for row in rows if row["run"] == name),
                    summary["settings"] | {"judges": summary.get("judges", ["refusal"])[:1]},
                )
            )
    return runs


def check_pairs(first: Run, second: Run, ignore: Sequence[str] = ()) -> int:
    """Refuse to pair what was not asked in the same way.

    Returns:
        The number of rows that pair.

    Raises:
        AltTrainError: Settings or prompts differ, or nothing is shared; the message says in what.
    """
    names = (*first.settings, *(name for name in second.settings if name not in first.settings))
    differing = [
        f"{name} is {first.settings.get(name)!r} and {second.settings.get(name)!r}"
        for name in names
        if name not in ignore and first.settings.get(name) != second.settings.get(name)
    ]
    if differing:
        raise AltTrainError(
            f"{first.name} and {second.name} were generated differently: {'; '.join(differing)}; "
            "allowed: runs with the same settings, or --ignore SETTING where the difference is what you compare"
        )
    known = {pair_key(row): row for row in first.rows}
    shared = [(known[pair_key(row)], row) for row in second.rows if pair_key(row) in known]
    for a, b in shared:
        for field in ("instruction", "kind", "scenario"):
            if a.get(field) != b.get(field):
                raise AltTrainError(
                    f"{first.name} and {second.name}: {a['set']}, id {a['id']}: field '{field}' differs: "
                    f"{a.get(field)!r} and {b.get(field)!r}; allowed: the same prompts in both"
                )
    if not shared:
        raise AltTrainError(f"{first.name} and {second.name} share no prompt; allowed: runs on the same sets")
    return len(shared)


def compare_runs(runs: Sequence[Run], ignore: Sequence[str] = ()) -> dict[str, Any]:
    """All runs against the first.

    Returns:
        ``runs`` (name to outcome rates), and ``pairs``: per other run its name, ``shared`` rows, rows of either
        run ``left_out``, ``metrics`` and ``by_set`` as in :func:`compare_rows`, ``minimum_detectable`` differences
        (80 % power, 5 %) and ``flips``: each single prompt whose outcome changed.
    """
    first = runs[0]
    pairs = []
    for other in runs[1:]:
        shared = check_pairs(first, other, ignore)
        found = compare_rows(first.rows, other.rows)
        tested = {m.name: found["metrics"][m.name] for m in OUTCOMES if found["metrics"][m.name]["pairs"]}
        detectable = {
            name: minimum_detectable_difference(one["pairs"], (one["gained"] + one["lost"]) / one["pairs"])
            for name, one in tested.items()
        }
        pairs.append(
            {
                "first": first.name,
                "second": other.name,
                "shared": shared,
                "left_out": len(first.rows) + len(other.rows) - 2 * shared,
                **found,
                "minimum_detectable": detectable,
                "flips": _flips(first, other),
            }
        )
    rates = {
        run.name: {
            m.name: rate([row["metrics"][m.name] for row in run.rows if m.name in row["metrics"]]).as_dict()
            for m in METRICS
        }
        for run in runs
    }
    return {"runs": rates, "pairs": pairs}


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Compare as the command line says; writes ``compare.json`` and ``compare.md``."""
    console = Console(width=None if Console().is_terminal else 130)
    runs = load_runs(args.folders)
    result = compare_runs(runs, args.ignore)
    write_whole(args.out / "compare.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    write_whole(args.out / "compare.md", markdown(result))
    for title, header, rows in _tables(result):
        table = Table(title=title, title_justify="left")
        for i, name in enumerate(header):
            table.add_column(name, justify="left" if i == 0 else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    console.print(f"written: {args.out}/compare.json, compare.md")
    return result


def markdown(result: Mapping[str, Any]) -> str:
    """The tables and every flipped prompt as Markdown."""
    parts = ["# Comparison\n"]
    for title, header, rows in _tables(result):
        lines = [f"## {title}\n", f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
        parts.append("\n".join([*lines, *(f"| {' | '.join(map(_escaped, row))} |" for row in rows)]) + "\n")
    for pair in result["pairs"]:
        head = f"## Flipped from {pair['first']} to {pair['second']}\n\n| metric | set | id | now | prompt |"
        lines = [
            f"| {f['metric']} | {f['set']} | {f['id']} | {'yes' if f['now'] else 'no'} | {_escaped(f['instruction'])} |"
            for f in pair["flips"]
        ]
        parts.append("\n".join([head, "|" + " --- |" * 5, *lines]) + "\n")
    return "\n".join(parts)


def _flips(first: Run, other: Run) -> list[dict[str, Any]]:
    known = {pair_key(row): row for row in first.rows}
    return [
        {
            "metric": m.name,
            **{name: row[name] for name in ("set", "id", "instruction")},
            "repeat": row.get("repeat", 0),
            "now": row["metrics"][m.name],
        }
        for m in OUTCOMES
        for row in other.rows
        if (before := known.get(pair_key(row))) and before["metrics"].get(m.name) is not row["metrics"].get(m.name)
    ]


def _tables(result: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows): the trade-off of all runs, then one table of paired differences per other run."""
    header = ["run", *(f"{m.label}, % ({m.better} is better)" for m in OUTCOMES)]
    rows = [[name, *(percent(rates[m.name]) for m in OUTCOMES)] for name, rates in result["runs"].items()]
    tables = [("Trade-off, percent [95 % Wilson interval]", header, rows)]
    for pair in result["pairs"]:
        rows = []
        for m in METRICS:
            if (one := pair["metrics"][m.name])["pairs"]:
                least = pair["minimum_detectable"].get(m.name)
                rows.append([f"{m.label}, all", *_cells(one), "", "" if least is None else f"{100 * least:.1f}"])
                for s in pair["by_set"]:
                    if s["metric"] == m.name:
                        rows.append([f"{m.label}, {s['set']}", *_cells(s), p_value(s["p_holm"]), ""])
        title = f"{pair['second']} against {pair['first']}, percentage points [95 % bootstrap interval]"
        header = ["metric", "pairs", "difference", "gained, lost", "p (McNemar)", "p (Holm over sets)", "detectable"]
        tables.append((title, header, rows))
    return tables


def _cells(one: Mapping[str, Any]) -> list[str]:
    difference = f"{100 * one['difference']:+.1f} [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]"
    return [str(one["pairs"]), difference, f"{one['gained']}, {one['lost']}", p_value(one["p_value"])]


def _escaped(text: str) -> str:
    """Text as one cell of a Markdown table, with nothing in it read as markup."""
    one_line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join("\\" + c if c in "\\|`*_[]" else c for c in one_line)
