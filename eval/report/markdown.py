"""The results as Markdown: ``results.md``, and the tables of the model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.results.summary_tables import (
    detectable,
    p_header,
    p_value,
    percent,
    points,
    repeats_rows,
    tests_by_set,
)
from axolotl_alttrain.eval.scoring.metrics import METRICS


def results(summary: Mapping[str, Any]) -> str:
    """``results.md``: what was run, rates with intervals, paired differences, sets, attacks, what is missing."""
    parts = [f"# Results\n\n{headline(summary)}\n\n{settings(summary)}\n", "## Rates\n\n" + rates_table(summary)]
    parts.append("## By set\n\n" + sets_table(summary))
    if attacks := attacks_table(summary):
        parts.append("## Attack success by scenario\n\n" + attacks)
    header, rows = repeats_rows(summary)
    if rows:
        parts.append("## Repeated sampling, percent\n\n" + table(header, rows, left=2))
    if lengths := lengths_table(summary):
        parts.append("## Lengths\n\n" + lengths)
    parts.append(notes(summary))
    return "\n".join(parts)


def settings(summary: Mapping[str, Any]) -> str:
    """One paragraph: model, adapter, decoding, judges, versions."""
    how = summary["settings"]
    sampled = f"temperature {how.get('temperature')}, top-p {how.get('top_p')}" if how.get("do_sample") else "greedy"
    loaded = "4-bit (NF4)" if how.get("load_in_4bit") else how.get("dtype")
    adapter = f", adapter {cell(shown_name(summary['adapter']))}" if summary["adapter"] else ""
    packages = ", ".join(f"{name} {version}" for name, version in summary.get("packages", {}).items())
    return (
        f"Base model {cell(shown_name(summary.get('base_model') or summary['model']))}{adapter}. "
        f"{sum(summary['sets'].values())} prompts, {sampled}, at most {how['max_new_tokens']} new tokens"
        f"{f', weights {loaded}' if loaded else ''}. "
        f"Judges: {', '.join(summary['judges'])}; the first makes the rates{_refusals(summary)}. "
        f"axolotl-alttrain {summary['version']}{f' with {packages}' if packages else ''}; "
        f"finished {summary['finished']}."
    )


def _refusals(summary: Mapping[str, Any]) -> str:
    name = summary.get("refusal_judge", summary["judges"][0])
    return "" if name == summary["judges"][0] else f", {name} that of refusals"


def rates_table(summary: Mapping[str, Any]) -> str:
    """One line per metric: each run with its Wilson interval and, of two, the paired difference and its p."""
    runs, comparison = summary["runs"], summary.get("comparison") or {}
    header = ["metric, percent", "better", "n", *runs]
    header += ["tuned − base, points", p_header(comparison.values())] if comparison else []
    rows = []
    for metric in METRICS:
        rates = [one["metrics"][metric.name] for one in runs.values()]
        if rates[0]["total"]:
            row = [metric.label, metric.better, str(rates[0]["total"]), *map(interval, rates)]
            rows.append(row + (_paired(comparison[metric.name], "p_value") if comparison else []))
    return table(header, rows, left=2)


def sets_table(summary: Mapping[str, Any]) -> str:
    """One line per set, grouped by what is measured there; p adjusted over all of these tests."""
    runs = summary["runs"]
    tests = tests_by_set(summary)
    header = ["set", "measure, percent", "n", *runs, *(["tuned − base, points", "p (Holm)"] if tests else [])]
    rows = []
    for name in summary["sets"]:
        entries = [one["by_set"][name] for one in runs.values()]
        measure = entries[0]["measure"]
        row = [name, measure.replace("_", " "), str(entries[0]["rate"]["total"])]  # samples, as everywhere
        row += [interval(e["rate"]) for e in entries]
        test = tests.get((measure, name))
        rows.append(row + ((_paired(test, "p_holm") if test else ["–", "–"]) if tests else []))
    return table(header, rows, left=2)


def lengths_table(summary: Mapping[str, Any]) -> str:
    """Mean tokens of thoughts and answers by kind of prompt, and the paired difference; empty without two runs."""
    compared = summary.get("comparison_lengths") or {}
    header = ["prompts", "part", "n", "base", "tuned", f"difference, {summary.get('lengths_in', 'tokens')}"]
    rows = [
        [kind, part, str(one["pairs"]), f"{one['first']:.0f}", f"{one['second']:.0f}", points(one, 1, 0)]
        for kind, parts in compared.items()
        for part, one in parts.items()
    ]
    return table(header, rows, left=2) if rows else ""


def attacks_table(summary: Mapping[str, Any]) -> str:
    """One line per attack scenario; empty where there are fewer than two."""
    runs = summary["runs"]
    names = list(dict.fromkeys(name for one in runs.values() for name in one["by_scenario"]))
    if len(names) < 2:
        return ""
    rows = []
    for name in names:
        rates = [one["by_scenario"][name] for one in runs.values()]
        rows.append([name, str(rates[0]["total"]), *map(interval, rates)])
    return table(["scenario", "n", *(f"{run}: harmful, percent" for run in runs)], rows)


def notes(summary: Mapping[str, Any]) -> str:
    """How to read the numbers, and what is not in them."""
    text = (
        "Brackets: 95 % Wilson intervals; of differences and of graded sets, 95 % bootstrap intervals over prompts. "
        "The answer is judged without its thought; a thought that was cut off has no answer and counts as truncated.\n"
    )
    if said := detectable(summary):
        text += f"{said}\n"
    for name, reason in summary["missing"].items():
        text += f"\nMissing: {cell(name)}: {cell(reason.removeprefix(f'{name}: '))}\n"
    return text


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table, its first ``left`` columns aligned left and the others right."""
    rule = [":--" if i < left else "--:" for i in range(len(header))]
    lines = [[cell(name) for name in header], rule, *([cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(text: str) -> str:
    """Text in which nothing is read as markup or as the end of a cell."""
    one_line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join("\\" + c if c in "\\|`*_[]" else c for c in one_line)


def interval(rate: Mapping[str, Any]) -> str:
    """A rate with its interval, in percent, without the padding that a terminal's columns want."""
    return " ".join(percent(rate).replace("[ ", "[").split())


def shown_name(name: str) -> str:
    """A model's name for others: a folder's place on this machine is no part of it."""
    return PurePath(name).name if PurePath(name).is_absolute() else name


def _paired(test: Mapping[str, Any], p: str) -> list[str]:
    if test["difference"] is None:
        return ["–", "–"]
    return [points(test), p_value(test[p])]
