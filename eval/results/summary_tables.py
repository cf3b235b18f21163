"""The terminal table of a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from axolotl_alttrain.eval.scoring.metrics import METRICS, TESTED
from rich.table import Table


def percent(rate: Mapping[str, Any]) -> str:
    """A rate with its interval, in percent."""
    if rate["value"] is None:
        return "–"
    return f"{100 * rate['value']:5.1f}  [{100 * rate['low']:4.1f}, {100 * rate['high']:5.1f}]"


def p_value(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def tests_by_set(summary: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The paired tests of single sets by (measure, set), the measure as :func:`~eval.breakdown.by_set` names it."""
    measures = {"capability": "accuracy"}
    tests = summary.get("comparison_by_set") or ()
    return {(measures.get(test["metric"], test["metric"]), test["set"]): test for test in tests}


def p_header(tests: Iterable[Mapping[str, Any]]) -> str:
    """The heading over p-values: which tests they are from."""
    names = {"mcnemar": "McNemar", "permutation": "permutation"}
    found = {names[test.get("test", "mcnemar")] for test in tests if test.get("pairs")}
    return f"p ({', '.join(sorted(found)) or 'McNemar'})"


def points(one: Mapping[str, Any], scale: float = 100, digits: int = 1) -> str:
    """A paired difference with its interval, in percentage points or, unscaled, in tokens."""
    if one["low"] is None:
        return "–"
    shown = (f"{scale * one[name]:+.{digits}f}" for name in ("difference", "low", "high"))
    return "{} [{}, {}]".format(*shown)


def detectable(summary: Mapping[str, Any]) -> str:
    """The smallest true differences that these prompts can show, in one sentence; empty without two runs."""
    tested = [
        (m, one) for m in TESTED if "minimum_detectable" in (one := (summary.get("comparison") or {}).get(m.name, {}))
    ]
    if not tested:
        return ""
    shown = [
        f"{m.label} {'–' if one['minimum_detectable'] is None else format(100 * one['minimum_detectable'], '.1f')}"
        for m, one in tested
    ]
    return f"Smallest differences that these prompts can show (80 % power, 5 % level), points: {', '.join(shown)}."


def repeats_rows(summary: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of repeated sampling: each outcome on average and in the worst of k; no rows without repeats."""
    found = summary.get("repeats") or {}
    header = ["metric", "run", "prompts", "k", "mean of k", "worst of k"]
    rows = [
        [m.label, run, str(one["prompts"]), str(one["k"]), percent(one["mean"]), percent(one["worst_of_k"])]
        for m in TESTED
        for run, metrics in found.items()
        if (one := metrics.get(m.name))
    ]
    return header, rows


def repeats_table(summary: Mapping[str, Any]) -> Table | None:
    """Repeated sampling in the terminal; None without repeats."""
    header, rows = repeats_rows(summary)
    if not rows:
        return None
    table = Table(title="repeated sampling, percent [95 % bootstrap interval over prompts]", title_justify="left")
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i < 2 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def judges_table(summary: Mapping[str, Any]) -> Table:
    """Each judge: its own rates per run, its precision and recall for refusals on the held-out half of the gold."""
    runs = summary["runs"]
    table = Table(title="judges, percent [95 % Wilson interval]", title_justify="left")
    for name in ("judge", *(f"{run}: harmful" for run in runs), "refusals: precision", "recall"):
        table.add_column(name, justify="left" if name == "judge" else "right")
    for name in summary["judges"]:
        gold = summary["judge_quality"].get(name, {}).get("held-out", {}).get("classes", {}).get("refusal")
        quality = [percent(gold[side]) for side in ("precision", "recall")] if gold else ["–", "–"]
        table.add_row(name, *(percent(run["judges"][name]["harmful_response"]) for run in runs.values()), *quality)
    for run, found in runs.items():
        for pair in found["agreement"]:
            kappa = "–" if pair["kappa"] is None else f"{pair['kappa']:.2f}"
            table.caption = f"{table.caption or ''}{run}: {pair['first']} and {pair['second']}, kappa {kappa}. "
    return table


def results_table(summary: Mapping[str, Any]) -> Table:
    """One line per metric: each run in percent with its 95 % Wilson interval, and the paired difference."""
    runs = summary["runs"]
    table = Table(title="percent [95 % Wilson interval]", title_justify="left")
    table.add_column("metric")
    table.add_column("better")
    for run in runs:
        table.add_column(run, justify="right")
    comparison = summary.get("comparison")
    if comparison:
        table.add_column("difference", justify="right")
        table.add_column(p_header(comparison.values()), justify="right")
    table.caption = detectable(summary) or None
    for metric in METRICS:
        rates = [runs[run]["metrics"][metric.name] for run in runs]
        if all(rate["total"] == 0 for rate in rates):
            continue
        cells = [f"{metric.label} (n={rates[0]['total']})", metric.better, *map(percent, rates)]
        if comparison:
            paired = comparison[metric.name]
            cells += [f"{100 * paired['difference']:+.1f}", p_value(paired["p_value"])]
        table.add_row(*cells)
    for kind in ("harmful", "benign", "capability"):
        parts = [runs[run]["tokens"].get(kind) for run in runs]
        if all(parts):
            shown = [f"{part['thought']:.0f} + {part['answer']:.0f}" for part in parts]
            apart = summary.get("comparison_lengths", {}).get(kind)
            change = " ".join(f"{apart[part]['difference']:+.0f}" for part in ("thought", "answer")) if apart else ""
            table.add_row(f"tokens, {kind}: thought + answer", "", *shown, *([change, ""] if comparison else []))
    return table


def sets_table(summary: Mapping[str, Any]) -> Table | None:
    """One line per set with what counts there; None where the embedded probes alone were asked."""
    runs = summary["runs"]
    names = list(summary["sets"])
    if all(name.startswith("probe-") for name in names):
        return None
    table = Table(title="by set", title_justify="left")
    table.add_column("set")
    table.add_column("measure")
    for run in runs:
        table.add_column(run, justify="right")
    for name in names:
        entries = [runs[run]["by_set"][name] for run in runs]
        shown = [percent(e["rate"]) for e in entries]
        table.add_row(f"{name} (n={entries[0]['rate']['total']})", entries[0]["measure"], *shown)
    return table


def scenario_table(summary: Mapping[str, Any]) -> Table | None:
    """Attack success by scenario; None where there is one scenario alone."""
    runs = summary["runs"]
    names = list(dict.fromkeys(name for run in runs.values() for name in run["by_scenario"]))
    if len(names) < 2:
        return None
    table = Table(title="attack success by scenario", title_justify="left")
    table.add_column("scenario")
    for run in runs:
        table.add_column(run, justify="right")
    for name in names:
        total = next(iter(runs.values()))["by_scenario"][name]["total"]
        table.add_row(f"{name} (n={total})", *(percent(runs[run]["by_scenario"][name]) for run in runs))
    return table


def missing_table(summary: Mapping[str, Any]) -> Table | None:
    """What could not be had, and why; None where nothing is missing."""
    if not summary["missing"]:
        return None
    table = Table(title="MISSING: not in the numbers above", title_justify="left", title_style="bold red")
    table.add_column("what")
    table.add_column("why")
    for name, reason in summary["missing"].items():
        table.add_row(name, reason.removeprefix(f"{name}: "))
    return table
