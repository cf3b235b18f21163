"""Samples made small enough for a page that is shared: compressed, and cut where that is not enough."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import NamedTuple

from axolotl_alttrain.eval.report.page.browser import BrowserRow
from markupsafe import Markup

LIMIT = 4_400_000  # bytes; the plots and tables around it keep the page below 5 MB
_CAPS = (None, 20_000, 8_000, 4_000, 2_000, 1_000, 500, 200)
_ESTIMATED = 1_000  # rows that stand for all: packing 100,000 rows for each cap would take minutes


class Packed(NamedTuple):
    """The samples of a page.

    Attributes:
        text: gzip as base64, no markup in it.
        cap: Characters per text; None where none was cut.
        rows: How many rows it holds.
        total: How many there are.
    """

    text: Markup
    cap: int | None
    rows: int
    total: int


def packed(rows: Sequence[BrowserRow], limit: int = LIMIT) -> Packed:
    """The rows of a page, their texts cut as little as the limit allows; if that is not enough, the first rows."""
    few = rows[:: max(1, len(rows) // _ESTIMATED)]
    margin = 1.0 if len(few) == len(rows) else 1.2
    estimate, cap = 0.0, _CAPS[0]
    for cap in _CAPS:
        estimate = len(_text(few, cap)) * len(rows) / max(1, len(few))
        if estimate <= margin * limit and len(text := _text(rows, cap)) <= limit:
            return Packed(Markup(text), cap, len(rows), len(rows))  # nosec B704: base64
    kept = min(len(rows), int(len(rows) * limit / estimate))
    while len(text := _text(rows[:kept], cap)) > limit:
        kept = min(kept - 1, int(kept * limit / len(text)))
    return Packed(Markup(text), cap, kept, len(rows))  # nosec B704: base64


def _text(rows: Sequence[BrowserRow], cap: int | None) -> str:
    shown = (row if cap is None else _cut(row, cap) for row in rows)
    content = json.dumps([row.model_dump(exclude_unset=True) for row in shown], ensure_ascii=False)
    return base64.b64encode(gzip.compress(content.encode(), 9, mtime=0)).decode()


def _cut(row: BrowserRow, cap: int) -> BrowserRow:
    runs = tuple(
        run.model_copy(update={"thought": _short(run.thought, cap), "answer": _short(run.answer, cap)})
        for run in row.runs
    )
    return row.model_copy(update={"instruction": _short(row.instruction, cap), "runs": runs})


def _short(text: str | None, cap: int) -> str | None:
    return text if text is None or len(text) <= cap else f"{text[:cap]} […]"
