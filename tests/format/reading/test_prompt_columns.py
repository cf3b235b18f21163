from __future__ import annotations

import json
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.reading.prompt_columns import prompt_field
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
    both = [{"role": "system", "content": "Be brief."}, user]
    assert messages(instruction=both, **{name: "Be brief."}) == both


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


def test_history_needs_no_system_turn() -> None:
    assert messages(history=[["Hi", "Hello"], ["Well?", "Yes."]]) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Translate:"},
    ]


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"system_prompt": "S", "history": [["a", "b"]]}, "system_prompt"),
        ({"system": "", "history": [["a", "b"]], "tools": [TOOL]}, "history"),
        ({"tools": [TOOL]}, "tools"),
        ({"input": "x"}, "instruction"),
    ],
)
def test_the_column_to_name_where_a_template_rejects_a_prompt(columns: dict[str, Any], field: str) -> None:
    assert prompt_field(ROW | columns) == field


@pytest.mark.parametrize("tools", [[TOOL], json.dumps([TOOL]), [json.dumps(TOOL)]])
def test_tools_are_objects_or_json_text(tools: Any) -> None:
    assert example_from_row(ROW | {"tools": tools}).tools == (TOOL,)
    assert example_from_row(ROW | {"tools": [{"name": "oven"}]}).tools == ({"name": "oven"},)
    parameters = TOOL | {"function": {"name": "oven", "parameters": '{"type": "object"}'}}
    assert example_from_row(ROW | {"tools": [parameters]}).tools == (TOOL,)


HISTORY = "list messages, or pairs of a request and its answer"
NOT_RENDERED = "belongs to the prompt, and this strategy cannot render it; write it into the texts or remove it"
TURNS = [{"role": "system", "content": "A"}, {"role": "user", "content": "B"}]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"system_prompt": "B", "instruction": TURNS},
            "'system_prompt' is not the only system prompt: the conversation has one too; remove one of the two",
        ),
        ({"system": "A", "system_prompt": "B"}, "'system' differs from 'system_prompt'; keep one of the two"),
        ({"system": 3}, "'system' is the int 3; write a string"),
        (
            {"input": "x", "instruction": TURNS},
            "'input' is given beside a conversation in 'instruction'; move it into 'instruction' or remove it",
        ),
        (
            {"history": [["a", "b"]], "instruction": TURNS},
            "'history' is given beside a conversation in 'instruction'; move it into 'instruction' or remove it",
        ),
        ({"history": [["a"]]}, f"'history' lists list ['a']; {HISTORY}"),
        ({"history": [["a", "b", "c"]]}, f"'history' lists list ['a', 'b', 'c']; {HISTORY}"),
        ({"history": {"a": "b"}}, f"'history' is the dict {{'a': 'b'}}; {HISTORY}"),
        ({"history": "Hi"}, "'history' is text, but not JSON ('Hi'); write a list or its JSON text"),
        ({"tools": ["{"]}, "'tools' is text, but not JSON ('{'); write a list or its JSON text"),
        (
            {"tools": [{"function": {"name": "oven", "parameters": "{"}}]},
            "'tools' is text, but not JSON ('{'); write a list or its JSON text",
        ),
        ({"tools": "oven"}, "'tools' is text, but not JSON ('oven'); write a list or its JSON text"),
        ({"tools": {"name": "oven"}}, "'tools' is the dict {'name': 'oven'}; list the tools as objects"),
        ({"tools": [3]}, "'tools' lists int 3; list the tools as objects"),
        ({"images": ["a.png"]}, f"'images' {NOT_RENDERED}"),
        ({"context": "A text."}, f"'context' {NOT_RENDERED}"),
    ],
)
def test_a_column_that_cannot_be_rendered_is_named(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as error:
        example_from_row(ROW | columns)
    assert str(error.value) == f"field {said}"


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
