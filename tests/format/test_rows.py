from __future__ import annotations

import json
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.rows import example_from_row, unread_fields

USER = {"role": "user", "content": "Hi"}
THOUGHT = "Okay, a forged passport.\n\nThis is harmful: fraud.\n\nStop.\nHere."
STEPS = ("Okay, a forged passport.", "This is harmful: fraud.", "Stop.\nHere.")


def steps(example: AltTrainExample) -> tuple[str, ...]:
    return (example.problem_understanding, example.harmfulness_assessment, example.conditional_reasoning)


def test_columns(row: dict[str, Any]) -> None:
    example = example_from_row(row | {"id": 7, "category": None, "language": "en"})
    assert (example.id, example.category, example.language) == ("7", None, "en")
    assert example_from_row(example.as_row()) == example


@pytest.mark.parametrize("response", [f"<think>\n{THOUGHT}\n</think>\n\nNo.", f"{THOUGHT}\n</think>\n\nNo."])
def test_response_with_both_tags_or_the_closing_one_alone(response: str) -> None:
    example = example_from_row({"instruction": "Forge it.", "response": response})
    assert steps(example) == STEPS
    assert (example.answer, example.label) == ("No.", "harmful")


@pytest.mark.parametrize(
    "last",
    [
        {"reasoning_content": THOUGHT, "content": "No."},
        {"thinking": THOUGHT, "content": "No."},
        {"content": f"<think>{THOUGHT}</think>No."},
    ],
)
def test_messages(last: dict[str, str]) -> None:
    history = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Forge it."}]
    example = example_from_row({"messages": [*history, {"role": "assistant", **last}], "label": "harmful"})
    assert steps(example) == STEPS
    assert example.messages == history


def test_one_user_turn_of_messages_is_a_plain_instruction() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": f"<think>{THOUGHT}</think>No."}]
    assert example_from_row({"messages": turns}).instruction == "Hi"


def test_a_user_turn_with_more_than_a_text_stays_a_message() -> None:
    turns = [{"role": "user", "content": "Hi", "name": "Ada", "weight": 1}]
    last = {"role": "assistant", "content": f"<think>{THOUGHT}</think>No."}
    assert example_from_row({"messages": [*turns, last]}).instruction == (
        {"role": "user", "content": "Hi", "name": "Ada"},
    )


def test_a_thought_with_line_breaks_instead_of_blank_lines_is_split_at_them() -> None:
    response = "<think>\nA passport.\nThis is harmful.\nStop.\nHere.\n</think>\nNo."
    assert steps(example_from_row({"instruction": "x", "response": response})) == (
        "A passport.",
        "This is harmful.",
        "Stop.\nHere.",
    )


def test_columns_without_a_step(row: dict[str, Any]) -> None:
    # Arrow gives None for a column that other rows have.
    row |= {"harmfulness_assessment": None, "omitted": ["harmfulness_assessment"]}
    example = example_from_row(row)
    assert example.reasoning == "Okay, the user wants a forged passport.\n\nI should stop here."
    assert example_from_row(example.as_row()) == example


def test_columns_without_any_step(row: dict[str, Any]) -> None:
    names = ["problem_understanding", "harmfulness_assessment", "conditional_reasoning"]
    row |= dict.fromkeys(names) | {"omitted": names}
    example = example_from_row(row)
    assert (example.reasoning, example.answer) == ("", "I can't help with that.")
    assert example_from_row(example.as_row()) == example


CALL = {"type": "function", "function": {"name": "oven", "arguments": {"celsius": 220}}}
RESPONSE = {"instruction": "Hi", "response": f"<think>{THOUGHT}</think>No."}


@pytest.mark.parametrize("calls", [[CALL], json.dumps([CALL])])
def test_tool_calls_of_every_shape(row: dict[str, Any], calls: Any) -> None:
    last = {"role": "assistant", "reasoning_content": THOUGHT, "content": "No.", "tool_calls": calls}
    for given in (row | {"tool_calls": calls}, RESPONSE | {"tool_calls": calls}, {"messages": [USER, last]}):
        example = example_from_row(given)
        assert example.tool_calls == (CALL,)
        assert list(unread_fields(given)) == []
    beside = {"messages": [USER, last | {"tool_calls": None}], "tool_calls": [CALL]}
    assert example_from_row(beside).tool_calls == ()
    assert list(unread_fields(beside)) == ["tool_calls"]


@pytest.mark.parametrize("tools", [[{"name": "oven"}], '[{"name": "oven"}]'])
def test_tools_and_other_columns_of_every_shape(row: dict[str, Any], tools: Any) -> None:
    more = {"tools": tools, "system": "Be kind.", "id": 7, "category": "x", "source": "own", "language": "en"}
    messages = {"messages": [USER, {"role": "assistant", "content": RESPONSE["response"]}]}
    for given in (row, RESPONSE, messages):
        example = example_from_row(given | more)
        assert example.tools == ({"name": "oven"},)
        assert (example.id, example.category, example.source, example.language) == ("7", "x", "own", "en")
        assert example.messages[0] == {"role": "system", "content": "Be kind."}
        assert list(unread_fields(given | more | {"assessor": "a", "twin": "b"})) == []
        assert "Be kind." not in str(example_from_row(given))


@pytest.mark.parametrize("omitted", [["harmfulness_assessment"], '["harmfulness_assessment"]'])
def test_omitted_steps_as_a_list_or_its_json_text(row: dict[str, Any], omitted: Any) -> None:
    example = example_from_row(row | {"harmfulness_assessment": None, "omitted": omitted})
    assert example.omitted == ("harmfulness_assessment",)
    with pytest.raises(RowError) as caught:
        example_from_row(row | {"omitted": "harmfulness_assessment"})
    assert str(caught.value).startswith("field 'omitted' is 'harmfulness_assessment'; list some of")


def test_columns_go_before_messages_and_messages_before_a_response(row: dict[str, Any]) -> None:
    messages = {"messages": [USER, {"role": "assistant", "content": f"<think>{THOUGHT}</think>Messages."}]}
    assert example_from_row(RESPONSE | messages).answer == "Messages."
    assert list(unread_fields(RESPONSE | messages)) == ["instruction", "response"]
    both = row | messages | {"response": "x"}
    assert example_from_row(both).answer == row["answer"]
    assert list(unread_fields(both)) == ["messages", "response"]
    assert list(unread_fields({"label": "benign", "score": 1, "none": None, "empty": ""})) == ["score"]


@pytest.mark.parametrize(
    ("last", "unread"),
    [
        ({"role": "assistant", "content": "No.", "name": "Ada", "refusal": "", "reasoning": "x"}, ["name"]),
        ({"role": "assistant", "weight": 1, "train": True, "training": True, "tool_calls": [CALL]}, []),
        ("x", []),
    ],
)
def test_fields_of_the_last_turn_that_are_not_read(last: Any, unread: list[str]) -> None:
    found = list(unread_fields({"messages": (USER | {"name": "Eve"}, last)}))
    assert found == [f"messages.assistant.{name}" for name in unread]
    assert list(unread_fields({"messages": []})) == []
    assert list(unread_fields({"messages": "text"})) == []


@pytest.mark.parametrize(
    ("last", "answer"),
    [
        ({"reasoning": THOUGHT, "content": "No."}, "No."),
        ({"reasoning_content": THOUGHT, "thinking": THOUGHT, "content": "No."}, "No."),
        ({"reasoning_content": f"<think>{THOUGHT}</think>", "thinking": "", "content": "No."}, "No."),
        ({"content": [{"type": "text", "text": f"<think>{THOUGHT}</think>"}, {"text": "No"}, {"text": "."}]}, "No."),
        (
            {"content": [{"type": "thinking", "thinking": THOUGHT[:9]}, {"type": "text", "text": "No."},
                         {"type": "thinking", "thinking": THOUGHT[9:]}]},
            "No.",
        ),
    ],
)  # fmt: skip
def test_every_place_of_a_thought(last: dict[str, Any], answer: str) -> None:
    example = example_from_row({"messages": [USER, {"role": "assistant", **last}]})
    assert (steps(example), example.answer, example.label) == (STEPS, answer, "harmful")


@pytest.mark.parametrize(
    ("first", "plain"),
    [
        (USER, True),
        (USER | {"weight": 1, "name": ""}, True),
        (USER | {"name": "Ada"}, False),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, False),
    ],
)
def test_the_only_turn_as_an_instruction(first: dict[str, Any], plain: bool) -> None:
    example = example_from_row({"messages": [first, {"role": "assistant", "content": RESPONSE["response"]}]})
    assert isinstance(example.instruction, str) == plain
    assert example.messages[0]["content"] == first["content"]


def test_marks_and_nulls_of_a_conversation_are_no_part_of_the_prompt(row: dict[str, Any]) -> None:
    turns = [USER | {"name": None}, {"role": "assistant", "content": "Ho", "train": False}, USER | {"weight": 1}]
    for given in (row | {"instruction": turns}, RESPONSE | {"instruction": turns}):
        assert example_from_row(given).messages == [USER, {"role": "assistant", "content": "Ho"}, USER]


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        ("A.\n\nThis is harmful.\nStop.", ("A.", "This is harmful.", "Stop.")),
        ("A.\n \nThis is harmful.\n\nStop.\n\nHere.", ("A.", "This is harmful.", "Stop.\n\nHere.")),
        ("A.\nThis is harmful.\nStop.\n\nHere.\nNow.", ("A.", "This is harmful.", "Stop.\nHere.\nNow.")),
    ],
)
def test_blank_lines_or_else_line_breaks_split_a_thought(thought: str, expected: tuple[str, ...]) -> None:
    assert steps(example_from_row({"instruction": "x", "response": f"{thought}</think>No."})) == expected


@pytest.mark.parametrize("label", ["benign", "harmful"])
def test_a_given_label_goes_before_the_assessment(label: str) -> None:
    assert example_from_row(RESPONSE | {"label": label}).label == label
