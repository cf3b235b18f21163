from __future__ import annotations

import json
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.rows import example_from_row, unread_fields

ROW = {"instruction": "Translate:", "response": "<think>Bread.\n\nThis is harmless: baking.\n\nSay it.</think>Pain."}
TOOL = {"type": "function", "function": {"name": "oven", "parameters": {"type": "object"}}}


def messages(**columns: Any) -> list[Any]:
    return example_from_row(ROW | columns).messages


def test_the_input_follows_the_instruction() -> None:
    assert example_from_row(ROW | {"input": " bread\n"}).instruction == "Translate:\n\nbread"
    assert example_from_row(ROW | {"input": ""}).instruction == "Translate:"


@pytest.mark.parametrize("name", ["system", "system_prompt"])
def test_a_system_column_is_a_system_turn(name: str) -> None:
    user = {"role": "user", "content": "Translate:"}
    assert messages(**{name: "Be brief."}) == [{"role": "system", "content": "Be brief."}, user]
    assert messages(system="Be brief.", system_prompt="Be brief.") == messages(system="Be brief.")
    assert messages(instruction=[user], system="Be brief.") == messages(system="Be brief.")


@pytest.mark.parametrize(
    "history",
    [
        [["Hi", "Hello"]],
        '[["Hi", "Hello"]]',
        [{"role": "user", "content": "Hi", "x": None}, {"role": "assistant", "content": "Hello"}],
    ],
)
def test_history_is_earlier_turns(history: Any) -> None:
    assert messages(history=history, system="S") == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Translate:"},
    ]


@pytest.mark.parametrize("tools", [[TOOL], json.dumps([TOOL]), [json.dumps(TOOL)]])
def test_tools_are_objects_or_json_text(tools: Any) -> None:
    assert example_from_row(ROW | {"tools": tools}).tools == (TOOL,)
    parameters = TOOL | {"function": {"name": "oven", "parameters": '{"type": "object"}'}}
    assert example_from_row(ROW | {"tools": [parameters]}).tools == (TOOL,)


TURNS = [{"role": "system", "content": "A"}, {"role": "user", "content": "B"}]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"system": "B", "instruction": TURNS}, "field 'system' is not the only system prompt"),
        ({"system": "A", "system_prompt": "B"}, "field 'system' differs from 'system_prompt'"),
        ({"system": 3}, "field 'system' is the int 3"),
        ({"input": "x", "instruction": TURNS}, "field 'input' is given beside a conversation in 'instruction'"),
        ({"history": [["a", "b"]], "instruction": TURNS}, "field 'history' is given beside a conversation"),
        ({"history": [["a"]]}, "field 'history' lists list ['a']"),
        ({"tools": "oven"}, "field 'tools' is text, but not JSON ('oven')"),
        ({"tools": [3]}, "field 'tools' lists int 3"),
        ({"images": ["a.png"]}, "field 'images' belongs to the prompt, and this strategy cannot render it"),
        ({"context": "A text."}, "field 'context' belongs to the prompt"),
    ],
)
def test_a_column_that_cannot_be_rendered_is_named(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as error:
        example_from_row(ROW | columns)
    assert str(error.value).startswith(said)


def test_a_row_with_every_column_round_trips() -> None:
    row = ROW | {"system": "S", "history": [["Hi", "Hello"]], "input": "x", "tools": [TOOL]}
    example = example_from_row(row | {"tool_calls": [{"function": {"name": "oven", "arguments": {}}}]})
    assert example_from_row(example.as_row()) == example


def test_the_rest_is_unread() -> None:
    assert list(unread_fields(ROW | {"output": "Pain", "score": 3, "empty": "", "none": None})) == ["output", "score"]
    last = {"role": "assistant", "content": "x", "refusal": "no", "audio": None}
    assert list(unread_fields({"messages": [last], "instruction": "x", "label": "benign"})) == [
        "instruction",
        "messages.assistant.refusal",
    ]
