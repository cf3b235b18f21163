"""``compare.html``: one self-contained page that works offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.compare.comparison import Comparison, PairedRuns
from axolotl_alttrain.eval.compare.comparison_plots import differences_plot, over_steps, runs_trade_off
from axolotl_alttrain.eval.compare.comparison_tables import detectable_table, notes, rates_table, tables
from axolotl_alttrain.eval.compare.differences import direction, flipped
from axolotl_alttrain.eval.compare.runs import FORM_SETTINGS, Run
from axolotl_alttrain.eval.report.page.browser import BrowserRow, BrowserRun
from axolotl_alttrain.eval.report.page.packing import packed
from axolotl_alttrain.eval.report.tables import as_html
from axolotl_alttrain.eval.report.tables.numbers import cell_text, p_text, points
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS
from axolotl_alttrain.eval.scoring.metrics import OUTCOMES
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from markupsafe import Markup
from pydantic import JsonValue

from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "report" / "page"  # the style and the browser of samples are the report's


def write_page(path: Path, result: Comparison, runs: Sequence[Run], ignore: Sequence[str] = ()) -> None:
    """Write the page.

    Args:
        path: The file.
        result: As :func:`compare_runs` returns it.
        runs: The runs that were compared.
        ignore: Settings that were allowed to differ.
    """
    plots = {
        "Trade-off": runs_trade_off(result),
        "Rates over training": over_steps(result),
        "Paired differences": differences_plot(result),
    }
    rates = rates_table(result)
    differences = tables(result)[1:]
    page = render_page(
        "compare.html.j2",
        _HERE,
        _PAGE,
        result=result,
        sentences=[sentence(pair) for pair in result.pairs],
        settings=_common_settings(runs, ignore),
        ignored={
            name: {run.name: run.rules if name == RULE_VERSIONS else run.settings.get(name) for run in runs}
            for name in ignore
        },
        rates_title=rates.full_title,
        rates=as_html(rates),
        notes=notes(result),
        plots={title: plot for title, plot in plots.items() if plot},
        detectable=as_html(detectable_table(result)),
        differences={table.full_title: as_html(table) for table in differences},
        markup=Markup,  # for plots: made here, and matplotlib escapes the names in them
        samples=packed(flip_rows(result, runs)),
        script=Markup((_PAGE / "browser.js").read_text(encoding="utf-8")),  # nosec B704: our own
    )
    write_atomic(path, page)


def _common_settings(runs: Sequence[Run], ignore: Sequence[str]) -> dict[str, JsonValue]:
    """The settings of the comparison; those that follow from the form of the weights only if all runs share them."""
    return {
        name: value
        for name, value in runs[0].settings.items()
        if name not in ignore and (name not in FORM_SETTINGS or all(run.settings.get(name) == value for run in runs))
    }


def sentence(pair: PairedRuns) -> str:
    """What changed from the reference to a run, with intervals, and which outcomes did not change significantly."""
    significant: list[str] = []
    others: list[str] = []
    for m in OUTCOMES:
        test = pair.metrics[m.name]
        if test.pairs and test.p_holm is not None:
            difference, _, interval = cell_text(points(test)).partition(" ")
            text = f"{m.label} {difference} points {interval} (p {p_text(test.p_holm)})"
            (significant if test.p_holm < 0.05 else others).append(text)
    parts = [", ".join(significant)] if significant else []
    parts += [f"no significant difference: {', '.join(others)}"] if others else []
    flips = len(pair.flips)
    better = sum(flip.direction == "better" for flip in pair.flips)
    parts.append(f"{flips} outcome{'' if flips == 1 else 's'} flipped, {better} for the better")
    return f"{pair.second} against {pair.first}: {'; '.join(parts)}."


def flip_rows(result: Comparison, runs: Sequence[Run]) -> list[BrowserRow]:
    """One row for the browser for each outcome that flipped, with what either run said."""
    by_name = {run.name: run for run in runs}
    return [
        BrowserRow(
            pair=f"{pair.first} → {pair.second}",
            metric=metric.label,
            direction=direction(metric, now),
            change=f"{before.outcome} → {now.outcome}",
            set=now.set,
            scenario=now.scenario,
            category=now.category,
            instruction=now.instruction,
            runs=(_run(pair.first, before), _run(pair.second, now)),
        )
        for pair in result.pairs
        for metric, before, now in flipped(by_name[pair.first], by_name[pair.second])
    ]


def _run(name: str, row: ScoredRow) -> BrowserRun:
    judges = {judge: one.verdict if one else None for judge, one in (row.judgements or {}).items()}
    return BrowserRun(
        run=name, outcome=row.outcome, judges=judges, verdict=row.verdict, thought=row.thought, answer=row.answer
    )
