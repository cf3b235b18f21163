"""A comparison as tables, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.eval.compare.differences import OUTCOMES
from axolotl_alttrain.eval.report.markdown import cell
from axolotl_alttrain.eval.results.summary_tables import p_header, p_value, percent, points
from axolotl_alttrain.eval.scoring.metrics import METRICS


def markdown(result: Mapping[str, Any]) -> str:
    """The tables and every flipped prompt as Markdown."""
    parts = ["# Comparison\n"]
    for title, header, rows in tables(result):
        lines = [f"## {title}\n", f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
        parts.append("\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)]) + "\n")
    parts += [f"{note}\n" for note in notes(result)]
    for pair in result["pairs"]:
        head = f"## Flipped from {pair['first']} to {pair['second']}\n\n| metric | set | id | before, now | prompt |"
        lines = [
            f"| {f['metric']} | {f['set']} | {cell(f['id'])} | {', '.join(f['outcomes'])} ({f['direction']}) "
            f"| {cell(f['instruction'])} |"
            for f in pair["flips"]
        ]
        parts.append("\n".join([head, "|" + " --- |" * 5, *lines]) + "\n")
    return "\n".join(parts)


def tables(result: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows): the rates of all runs, then one table of paired differences per other run."""
    header = ["run", *(f"{m.label}, % ({m.better} is better)" for m in OUTCOMES)]
    rows = []
    for name, rates in result["runs"].items():
        mark = ", reference" if name == result["reference"] and len(result["runs"]) > 1 else ""
        folders = result["origins"][name]["folders"]
        found_in = f" (in {', '.join(folders)})" if len(folders) > 1 else ""
        rows.append([name + mark + found_in, *(_rate(rates[m.name]) for m in OUTCOMES)])
    if any(result["left_out"].values()):
        header.append("answers left out")
        for row, count in zip(rows, result["left_out"].values(), strict=True):
            row.append(f"{count:,}")
    title = f"Rates over the {result['prompts']:,} answers that all runs have, percent [95 % Wilson interval], n"
    if len(rows) == 1:
        title = "Rates, percent [95 % Wilson interval], n"
    return [(title, header, rows), *map(_differences, result["pairs"])]


def notes(result: Mapping[str, Any]) -> list[str]:
    """Sentences on what else differs between runs that pair, and on what is not known about them."""
    old = ", ".join(result["unknown_rules"])
    unknown = (
        [f"The versions of the metrics and judges of {old} are unknown; version 1 of each is assumed."] if old else []
    )
    return unknown + [
        f"{pair['second']} and {pair['first']} also differ in: "
        + "; ".join(f"{name}, {a} and {b}" for name, (b, a) in pair["also_differing"].items())
        + "."
        for pair in result["pairs"]
        if pair["also_differing"]
    ]


def _rate(rate: Mapping[str, Any]) -> str:
    return percent(rate) if rate["value"] is None else f"{percent(rate)}, {rate['total']:,}"


def _differences(pair: Mapping[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    """Each metric over all sets, the outcomes by set below; Holm over the outcomes of all pairs, or over the sets."""
    rows = []
    for m in METRICS:
        if (one := pair["metrics"][m.name])["pairs"]:
            least = pair["minimum_detectable"].get(m.name)
            adjusted = p_value(one["p_holm"]) if "p_holm" in one else ""
            rows.append([f"{m.label}, all", *_cells(one), adjusted, "" if least is None else f"{100 * least:.1f}"])
            for s in pair["by_set"]:
                if s["metric"] == m.name:
                    rows.append([f"{m.label}, {s['set']}", *_cells(s), p_value(s["p_holm"]), ""])
    # Graded sets have a measure each, and so none over all of them.
    for s in pair["by_set"]:
        if s["metric"] not in {m.name for m in METRICS}:
            rows.append([f"{s['metric']}, {s['set']}", *_cells(s), p_value(s["p_holm"]), ""])
    title = f"{pair['second']} against {pair['first']}, percentage points [95 % bootstrap interval]"
    header = [
        "metric",
        "pairs",
        "difference",
        "gained, lost",
        p_header([*pair["metrics"].values(), *pair["by_set"]]),
        "p (Holm)",
        "detectable",
    ]
    return title, header, rows


def _cells(one: Mapping[str, Any]) -> list[str]:
    return [str(one["pairs"]), points(one), f"{one['gained']}, {one['lost']}", p_value(one["p_value"])]
