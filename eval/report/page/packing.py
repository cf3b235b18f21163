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


class Packed(NamedTuple):
    """``text`` for the page: gzip as base64, no markup in it; ``cap``: characters per text, None where none was cut."""

    text: Markup
    cap: int | None


def packed(rows: Sequence[BrowserRow], limit: int = LIMIT) -> Packed:
    """The rows of a page, their texts cut as little as the limit allows."""
    found = None
    for cap in _CAPS:
        shown = [row if cap is None else _cut(row, cap) for row in rows]
        content = json.dumps([row.model_dump(exclude_unset=True) for row in shown], ensure_ascii=False)
        text = base64.b64encode(gzip.compress(content.encode(), 9, mtime=0)).decode()
        found = Packed(Markup(text), cap)  # nosec B704: base64
        if len(text) <= limit:
            break
    assert found is not None
    return found


def _cut(row: BrowserRow, cap: int) -> BrowserRow:
    runs = tuple(
        run.model_copy(update={"thought": _short(run.thought, cap), "answer": _short(run.answer, cap)})
        for run in row.runs
    )
    return row.model_copy(update={"instruction": _short(row.instruction, cap), "runs": runs})


def _short(text: str | None, cap: int) -> str | None:
    return text if text is None or len(text) <= cap else f"{text[:cap]} […]"
