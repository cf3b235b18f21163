from __future__ import annotations

import pytest

from axolotl_alttrain.data.traces.trace import Trace, trace_from_row
from axolotl_alttrain.errors import RowError

TRACE = Trace("7", "Hi?", "Okay, a greeting.\n\nGreet back.", "Hello.", "benign", None, "mine", "en")


def test_a_row_gives_the_trace_back() -> None:
    assert TRACE.as_row() == {
        "id": "7",
        "instruction": "Hi?",
        "thought": "Okay, a greeting.\n\nGreet back.",
        "answer": "Hello.",
        "label": "benign",
        "source": "mine",
        "language": "en",
    }
    assert trace_from_row(TRACE.as_row() | {"other": 3}) == TRACE


@pytest.mark.parametrize(("field", "value"), [("id", 7), ("answer", None), ("label", "unsafe"), ("language", 3)])
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(RowError) as caught:
        trace_from_row(TRACE.as_row() | {field: value})
    assert caught.value.field == field
