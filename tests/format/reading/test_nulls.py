from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.reading.nulls import nested, without_nulls
from axolotl_alttrain.format.rows import example_from_row

THOUGHT = "Bread.\n\nThis is harmless: baking.\n\nMix."


def call(**arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "oven", "arguments": arguments}}


def row(**arguments: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": "Bake."},
            {"role": "assistant", "content": "", "tool_calls": [call(**arguments)]},
            {"role": "tool", "content": "ok"},
            {"role": "user", "content": "And now?"},
            {"role": "assistant", "reasoning_content": THOUGHT, "content": "Wait."},
        ]
    }


def test_rows_read_through_arrow_equal_the_rows_as_written() -> None:
    rows = [row(celsius=220), row(minutes=30, when={"hour": 7})]
    padded = list(Dataset.from_list(rows))
    assert padded[0]["messages"][1]["tool_calls"][0]["function"]["arguments"] == {
        "celsius": 220,
        "minutes": None,
        "when": None,
    }
    assert [example_from_row(one) for one in padded] == [example_from_row(one) for one in rows]


def test_a_null_in_json_text_stays() -> None:
    assert nested("tools", '{"minutes": null}') == {"minutes": None}
    assert nested("tools", {"minutes": None, "at": [None, {"x": None}]}) == {"at": [None, {}]}
    assert without_nulls('{"minutes": null}') == '{"minutes": null}'
    with pytest.raises(RowError, match=r"field 'tools' is text, but not JSON \('oven'\)"):
        nested("tools", "oven")
