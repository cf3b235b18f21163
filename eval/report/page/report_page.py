"""``report.html``: one self-contained page that works offline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.markdown import decoding, names
from axolotl_alttrain.eval.report.measured import measured_beside
from axolotl_alttrain.eval.report.page.browser import browser_rows
from axolotl_alttrain.eval.report.page.definitions import definitions
from axolotl_alttrain.eval.report.page.packing import packed
from axolotl_alttrain.eval.report.plots.attacks_plot import attacks
from axolotl_alttrain.eval.report.plots.rates_plot import rates
from axolotl_alttrain.eval.report.plots.separation_plot import separation
from axolotl_alttrain.eval.report.plots.sets_plot import by_set
from axolotl_alttrain.eval.report.plots.summary_trade_off import summary_trade_off
from axolotl_alttrain.eval.report.plots.svg import Plot
from axolotl_alttrain.eval.report.plots.tokens_plot import tokens
from axolotl_alttrain.eval.report.tables import Table, as_html, summary_tables
from axolotl_alttrain.eval.report.tables.mode_tables import budget_table, mode_tables
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import METRICS, Scored
from markupsafe import Markup

from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page


def write_report(path: Path, summary: Summary, scored: Sequence[Scored]) -> None:
    """Write ``report.html``: headline, plots with intervals, tables, and every sample, its texts folded."""
    page = render_page(
        "report.html.j2",
        Path(__file__).parent,
        summary=summary,
        headline=re.sub(r" (?=%|[=<] )|(?<=[=<]) ", "\u00a0", headline(summary)),
        detectable=summary_tables.detectable(summary),
        definitions=definitions(summary),
        names=names(summary),
        decoding=decoding(summary),
        beside=measured_beside(summary),
        plots=_plots(summary, scored),
        rates=as_html(summary_tables.rates_table(summary)),
        missing=_html(summary_tables.missing_table(summary)),
        tables={
            "Beside the paper's numbers": _html(summary_tables.paper_table(summary)),
            **{table.title: as_html(table) for table in mode_tables(summary)},
            "Limited thoughts": _html(budget_table(summary)),
            "By set": _html(summary_tables.sets_table(summary)),
            "What verdicts can tell": _html(summary_tables.separation_table(summary)),
            "Thoughts and answers": _html(summary_tables.thoughts_table(summary)),
            "By attack scenario": _html(summary_tables.attacks_table(summary)),
            "Repeated sampling": _html(summary_tables.repeats_table(summary)),
            f"Mean length, {summary.lengths_in}": _html(summary_tables.lengths_table(summary)),
            "Judges": _html(summary_tables.judges_table(summary)),
        },
        markup=Markup,  # for plots: made here, and matplotlib escapes the names in them
        samples=packed(browser_rows(scored)),
        script=Markup((Path(__file__).parent / "browser.js").read_text(encoding="utf-8")),  # nosec B704: our own
    )
    write_atomic(path, page)


def _html(table: Table | None) -> Markup:
    return as_html(table) if table else Markup("")


def _plots(summary: Summary, scored: Sequence[Scored]) -> dict[str, Plot]:
    shown = [
        m
        for m in METRICS
        if all(one.rate(m.name).total for run, one in summary.runs.items() if summary.thinks(run) or not m.of_thought)
        and any(rate.total for rate in summary.rates(m.name))
    ]
    plots = {
        "Trade-off": summary_trade_off(summary),
        "Rates": rates(summary, shown),
        "By set": by_set(summary),
        "Attacks": attacks(summary),
        "What verdicts can tell": separation(summary),
        "Lengths": tokens(summary, [one.as_row() for one in scored]),
    }
    return {title: plot for title, plot in plots.items() if plot}
