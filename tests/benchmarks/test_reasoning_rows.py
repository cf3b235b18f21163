"""The shipped reasoning rows are what the script writes; it computes every answer twice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from axolotl_alttrain.format.reasoning.conversation_reader import conversation_from_row
from benchmarks.reasoning_rows import FILE, rows


def test_the_file_is_what_the_script_writes() -> None:
    shipped = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert shipped == [asdict(row) for row in rows()]
    assert Counter(row["category"] for row in shipped) == {"arithmetic": 20, "logic": 20, "dates": 20, "code": 20}
    assert len({row["problem"] for row in shipped}) == len({row["id"] for row in shipped}) == 80


def test_every_row_is_read_whole() -> None:
    for row in rows():
        found = conversation_from_row(asdict(row))
        assert (found.last.thought, found.last.answer, found.unread) == (row.reasoning, row.solution, ())
