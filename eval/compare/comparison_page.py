"""``compare.html``: one self-contained page that works offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.compare.comparison_plots import forest, over_steps, trade_off
from axolotl_alttrain.eval.compare.comparison_tables import notes, tables
from axolotl_alttrain.eval.compare.differences import OUTCOMES, direction, flipped, outcome
from axolotl_alttrain.eval.compare.runs import Run
from axolotl_alttrain.eval.report.packing import packed
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS
from axolotl_alttrain.eval.results.summary_tables import p_value
from markupsafe import Markup

from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page

_HERE = Path(__file__).parent
_REPORT = _HERE.parent / "report"  # the style and the browser of samples are the report's


def write_page(path: Path, result: Mapping[str, Any], runs: Sequence[Run], ignore: Sequence[str] = ()) -> None:
    """Write the page.

    Args:
        path: The file.
        result: As :func:`compare_runs` returns it.
        runs: What was compared.
        ignore: Settings that were allowed to differ.
    """
    plots = {
        "Trade-off": trade_off(result),
        "Rates over training": over_steps(result),
        "Paired differences": forest(result),
    }
    rates, *differences = tables(result)
    page = render_page(
        "compare.html.j2",
        _HERE,
        _REPORT,
        result=result,
        sentences=[sentence(pair) for pair in result["pairs"]],
        settings={name: value for name, value in runs[0].settings.items() if name not in ignore},
        ignored={
            name: {run.name: run.rules if name == RULE_VERSIONS else run.settings.get(name) for run in runs}
            for name in ignore
        },
        rates=rates,
        notes=notes(result),
        plots={title: plot for title, plot in plots.items() if plot},
        differences=differences,
        outcomes=OUTCOMES,
        markup=Markup,  # for plots: made here, and matplotlib escapes the names in them
        samples=packed(flip_rows(result, runs)),
        script=Markup((_REPORT / "browser.js").read_text(encoding="utf-8")),
    )
    write_atomic(path, page)


def sentence(pair: Mapping[str, Any]) -> str:
    """What changed from one run to the other, with intervals, and what these prompts cannot tell apart."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for m in OUTCOMES:
        one = pair["metrics"][m.name]
        if one["pairs"]:
            low, high = 100 * one["low"], 100 * one["high"]
            text = f"{m.label} {100 * one['difference']:+.1f} points [{low:+.1f}, {high:+.1f}]"
            told[one["p_holm"] < 0.05].append(f"{text} (p {p_value(one['p_holm'])})")
    parts = [", ".join(told[True])] if told[True] else []
    parts += [f"not told apart: {', '.join(told[False])}"] if told[False] else []
    flips = len(pair["flips"])
    better = sum(flip["direction"] == "better" for flip in pair["flips"])
    parts.append(f"{flips} outcome{'' if flips == 1 else 's'} flipped, {better} for the better")
    return f"{pair['second']} against {pair['first']}: {'; '.join(parts)}."


def flip_rows(result: Mapping[str, Any], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row for the browser for each outcome that flipped, with what either run said."""
    by_name = {run.name: run for run in runs}
    return [
        {
            "pair": f"{pair['first']} → {pair['second']}",
            "metric": metric.label,
            "direction": direction(metric, now),
            "change": f"{outcome(before)} → {outcome(now)}",
            **{name: now.get(name) for name in ("set", "scenario", "category", "instruction")},
            "runs": [_said(pair["first"], before), _said(pair["second"], now)],
        }
        for pair in result["pairs"]
        for metric, before, now in flipped(by_name[pair["first"]], by_name[pair["second"]])
    ]


def _said(run: str, row: Mapping[str, Any]) -> dict[str, Any]:
    judges = {name: one and one["verdict"] for name, one in (row.get("judgements") or {}).items()}
    return {
        "run": run,
        "outcome": outcome(row),
        "judges": judges,
        **{name: row.get(name) for name in ("verdict", "thought", "answer")},
    }
