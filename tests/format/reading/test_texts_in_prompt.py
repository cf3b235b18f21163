from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.reading.texts_in_prompt import appears, call_texts, leaves, missing_texts

CALL = {"id": "c1", "type": "function", "function": {"name": "oven", "arguments": {"mode": "grill", "celsius": 220}}}
USER = {"role": "user", "content": "Bake."}
LEFT_OUT = (
    "is not in the prompt as written: the chat template leaves out or changes '{}'; change the row, or set "
    "'chat_template:' to a template that renders it"
)


def example(*turns: dict[str, Any], **fields: Any) -> AltTrainExample:
    steps = ("Bread.", "This is harmless.", "Mix.", "Mix.")
    return AltTrainExample(list(turns), "benign", *steps, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("a", "bab"),
        (" a\n", "a"),
        ("a  b\n\nc", "a b\nc"),
        ('say "hi"\n', '{"text": "say \\"hi\\""}'),
        ("für", '{"text": "f\\u00fcr"}'),
        ('für "x"', '{"text": "für \\"x\\""}'),
    ],
)
def test_a_text_appears_as_it_is_escaped_or_with_other_white_space(text: str, prompt: str) -> None:
    assert appears(text, prompt)
    assert not appears(text, "something else")


@pytest.mark.parametrize(
    ("turns", "prompt", "said"),
    [
        (
            [{"role": "system", "content": "Be brief."}, USER],
            "Bake.",
            f"field 'message 1, role system' {LEFT_OUT.format('Be brief.')}",
        ),
        ([USER, USER | {"content": "More."}], "Bake.", f"field 'message 2, role user' {LEFT_OUT.format('More.')}"),
    ],
)
def test_a_turn_that_the_template_leaves_out_is_refused(turns: list[Any], prompt: str, said: str) -> None:
    with pytest.raises(RowError) as error:
        missing_texts(example(*turns), prompt, "")
    assert str(error.value) == said


def test_a_plain_instruction_is_looked_for_too() -> None:
    row = AltTrainExample("Bake.", "benign", "Bread.", "This is harmless.", "Mix.", "Mix.")
    assert missing_texts(row, "<user>Bake.", "") == []
    with pytest.raises(RowError) as error:
        missing_texts(row, "<user>bake.", "")
    assert str(error.value) == f"field 'instruction' {LEFT_OUT.format('Bake.')}"
    tooled = replace(row, tools=({"name": "oven", "description": "Sets it."},))
    assert missing_texts(tooled, "oven <user>Bake.", "") == ["tools.description"]
    assert missing_texts(replace(row, tool_calls=(CALL | {"note": "x"},)), "Bake.", "oven grill") == ["tool_calls.note"]


def test_what_inference_leaves_out_as_well_is_named() -> None:
    earlier = {"role": "assistant", "content": "<think>Hm.</think>Yes.", "reasoning_content": "Why?"}
    tool = {"type": "function", "function": {"name": "oven", "description": "Sets it."}, "note": "x"}
    row = example(USER | {"name": "Ada"}, earlier, USER, tools=(tool,))
    assert missing_texts(row, "oven Sets it. Bake. Yes. Bake.", "") == [
        "messages.user.name",
        "messages.assistant.content",
        "messages.assistant.reasoning_content",
        "tools.note",
    ]


def test_calls_and_results_in_a_template_that_takes_none_are_named() -> None:
    asked = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    row = example(USER, asked, {"role": "tool", "content": "hot", "tool_call_id": "c9"}, USER)
    assert missing_texts(row, "Bake. Bake.", "") == ["messages.assistant.tool_calls", "messages.tool.content"]
    assert missing_texts(row, 'Bake. oven {"mode": "grill"} hot Bake.', "") == []


def test_details_of_trained_calls_are_looked_for_in_the_completion() -> None:
    row = example(USER, tool_calls=(CALL | {"note": "x"},))
    assert missing_texts(row, "Bake.", 'oven {"mode": "grill"}') == ["tool_calls.note"]


def test_a_thought_in_an_earlier_answer_is_looked_for_without_its_tags() -> None:
    earlier = {"role": "assistant", "content": "<think>Hm.</think>Yes."}
    assert missing_texts(example(USER, earlier, USER), "Bake. Hm. Yes. Bake.", "") == []
    with pytest.raises(RowError, match="field 'message 3, role user' is not in the prompt as written"):
        missing_texts(example(USER, earlier, USER | {"content": "<think>More."}), "Bake. Hm. Yes. More.", "")


def test_arguments_that_the_template_writes_otherwise_are_not_missed() -> None:
    call = {"function": {"name": "oven", "arguments": '{"mode": "grill"}'}, "note": "x"}
    asked = {"role": "assistant", "content": "", "tool_calls": [call]}
    row = example(USER, asked, USER | {"name": "Ada"}, tool_calls=(call,))
    assert missing_texts(row, "Bake. oven mode=grill Bake.", "oven mode=grill") == [
        "messages.assistant.tool_calls.note",
        "messages.user.name",
        "tool_calls.note",
    ]


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ({"function": {"name": "oven"}}, "'oven'"),
        ({"name": 3}, "dict {'name': 3}"),
        ({"function": "oven"}, "dict {'function': 'oven'}"),
    ],
)
def test_a_tool_that_the_template_ignores_is_refused(tool: dict[str, Any], named: str) -> None:
    with pytest.raises(RowError) as error:
        missing_texts(example(USER, tools=(tool,)), "Bake.", "")
    assert str(error.value) == (
        f"field 'tools' is not in the prompt: the chat template ignores the tool {named}; remove the column, or set "
        "'chat_template:' to a template that renders tools"
    )


def test_the_texts_of_a_nested_value_have_paths() -> None:
    value = {"a": ["x", {"b": "y"}], "type": "t", "id": "i", "tool_call_id": "c", "n": 1}
    assert list(leaves(value, "row")) == [("row.a", "x"), ("row.a.b", "y")]


@pytest.mark.parametrize(
    "call",
    [
        CALL,
        {"name": "oven", "arguments": {"mode": "grill"}},
        {"function": {"name": "oven", "arguments": '{"mode": "grill"}'}},
    ],
)
def test_the_texts_of_a_call_are_its_name_and_its_arguments(call: dict[str, Any]) -> None:
    assert call_texts(call) == ["oven", "grill"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("oven", "lists 'oven'; give every call a 'function' with a 'name'"),
        ({"function": "oven"}, "lists dict {'function': 'oven'}; give every call a 'function' with a 'name'"),
        ({"name": 3}, "lists dict {'name': 3}; give every call a 'function' with a 'name'"),
        ({"name": "oven", "arguments": "{"}, "has arguments that are not JSON ('{'); correct them"),
    ],
)
def test_a_call_without_a_name_or_with_broken_arguments_is_refused(call: Any, said: str) -> None:
    with pytest.raises(RowError) as error:
        call_texts(call)
    assert str(error.value) == f"field 'tool_calls' {said}"
