"""The one-page HTML report: self-contained, works offline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.report.browser import browser_rows
from axolotl_alttrain.eval.report.definitions import definitions
from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.markdown import interval, shown_name
from axolotl_alttrain.eval.report.packing import packed
from axolotl_alttrain.eval.report.plots import attacks, forest, rates, tokens, trade_off
from axolotl_alttrain.eval.report.svg import Plot
from axolotl_alttrain.eval.results.summary_tables import detectable, p_header, p_value, points
from axolotl_alttrain.eval.scoring.metrics import METRICS, Metric, Scored
from markupsafe import Markup

from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page


def write_report(path: Path, summary: Mapping[str, Any], scored: Sequence[Scored]) -> None:
    """Write ``report.html``: headline, plots with intervals, tables, and every sample, answers folded."""
    shown = [m for m in METRICS if next(iter(summary["runs"].values()))["metrics"][m.name]["total"]]
    page = render_page(
        "report.html.j2",
        Path(__file__).parent,
        summary=summary,
        metrics=shown,
        interval=interval,
        p_value=p_value,
        p_header=p_header,
        points=points,
        headline=re.sub(r" (?=%|[=<] )|(?<=[=<]) ", "\u00a0", headline(summary)),
        detectable=detectable(summary),
        definitions=definitions(summary),
        shown_name=shown_name,
        plots={title: plot for title, plot in _plots(summary, shown, scored) if plot},
        markup=Markup,  # for plots: made here, and matplotlib escapes the names in them
        samples=packed(browser_rows(scored)),
        script=Markup((Path(__file__).parent / "browser.js").read_text(encoding="utf-8")),
    )
    write_atomic(path, page)


def _plots(
    summary: Mapping[str, Any], shown: Sequence[Metric], scored: Sequence[Scored]
) -> list[tuple[str, Plot | None]]:
    lengths = [
        {
            "run": s.sample.run,
            "kind": s.prompt.kind,
            "thought_tokens": s.thought_tokens,
            "answer_tokens": s.answer_tokens,
            "truncated": s.parsed.truncated,
            "finish": s.sample.finish,
        }
        for s in scored
    ]
    return [
        ("Trade-off", trade_off(summary)),
        ("Rates", rates(summary, shown)),
        ("By set", forest(summary)),
        ("Attacks", attacks(summary)),
        ("Lengths", tokens(summary, lengths)),
    ]
