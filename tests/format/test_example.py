from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import STEPS, AltTrainExample, ThoughtFormat, split_steps

FORMATS = (
    ThoughtFormat(end="<|im_end|>"),
    ThoughtFormat(open="", end="<｜end▁of▁sentence｜>", prompt_open="<think>\n"),
    ThoughtFormat(open="<|channel|>analysis<|message|>", close="<|end|><|channel|>final<|message|>", end="<|return|>"),
)


def test_composed_text_in_full(row: dict[str, str]) -> None:
    assert AltTrainExample(**row).completion(FORMATS[0]) == (
        "<think>\nOkay, the user wants a forged passport.\n\nThis is harmful: forged papers enable fraud.\n\n"
        "I should stop here.\n</think>\n\nI can't help with that.<|im_end|>"
    )


def test_blank_lines_inside_understanding_and_assessment_become_line_breaks(row: dict[str, str]) -> None:
    row |= {"problem_understanding": " One.\n \n\nTwo. ", "conditional_reasoning": "a\n\nb\n\nc"}
    example = AltTrainExample(**row)
    assert example.problem_understanding == "One.\nTwo."
    assert example.conditional_reasoning == "a\n\nb\n\nc"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("label", "unsafe", "is 'unsafe'; set it to 'harmful' or 'benign'"),
        ("answer", "  ", "is empty; write a string"),
        ("answer", None, "is missing; write a string"),
        ("problem_understanding", 3, "is the int 3; write a string"),
        ("instruction", "", "is empty; write a string"),
        ("instruction", [], "is the list []; write a string, or a list of messages that ends with a user turn"),
        (
            "instruction",
            [{"role": "assistant", "content": "Hi"}],
            "ends with a turn of role 'assistant'; end it with a user turn that has text",
        ),
        (
            "instruction",
            [{"role": "user", "content": ""}],
            "ends with an empty user turn; end it with a user turn that has text",
        ),
        ("instruction", ["Hi"], "has no role in message 1, 'Hi'; give every message a 'role' and a 'content'"),
        (
            "instruction",
            [{"role": "user", "content": 3}],
            "has no text in message 1: its content is the int 3; make the content a string or a list of parts",
        ),
        ("omitted", "answer", "is 'answer'; list some of " + ", ".join(STEPS)),
        ("omitted", 3, "is the int 3; list some of " + ", ".join(STEPS)),
        ("tools", {"name": "oven"}, "is the dict {'name': 'oven'}; list objects"),
        ("tool_calls", ["oven"], "is the list ['oven']; list objects"),
        ("id", 7, "is the int 7; write a string or leave the field out"),
        ("category", 7, "is the int 7; write a string or leave the field out"),
        ("source", 7, "is the int 7; write a string or leave the field out"),
        ("language", 7, "is the int 7; write a string or leave the field out"),
        ("answer", "No. </think>", "contains the think tag '</think>'; remove it"),
        (
            "instruction",
            [{"role": 1}],
            "has no role in message 1, dict {'role': 1}; give every message a 'role' and a 'content'",
        ),
        (
            "instruction",
            [{"role": "user", "content": "Hi"}, {"role": "tool"}],
            "has no text in message 2: its content is missing; make the content a string or a list of parts",
        ),
    ],
)
def test_a_bad_field_is_named(row: dict[str, object], field: str, value: object, said: str) -> None:
    row[field] = value
    with pytest.raises(RowError) as error:
        AltTrainExample(**row)
    assert str(error.value) == f"field '{field}' {said}"


@pytest.mark.parametrize("field", ["harmfulness_assessment", "answer"])
def test_the_end_marker_inside_a_text_is_refused(row: dict[str, str], field: str) -> None:
    row[field] += " <|im_end|>"
    with pytest.raises(RowError) as error:
        AltTrainExample(**row).completion(FORMATS[0])
    assert str(error.value) == f"field '{field}' contains '<|im_end|>', a marker of the chat template; remove it"


def test_the_markers_of_the_thought_may_stand_in_an_answer(row: dict[str, str]) -> None:
    fmt = ThoughtFormat(open="[open]\n", close="\n[close]\n", end="[end]\n", calls="[calls]")
    row["answer"] = "[open] and [close]"
    example = AltTrainExample(**row)
    assert example.completion(fmt).endswith("I should stop here.\n[close]\n[open] and [close][calls][end]\n")
    assert example.pieces(fmt) == [
        ("thought_opening", "[open]\n"),
        ("problem_understanding", "Okay, the user wants a forged passport.\n\n"),
        ("harmfulness_assessment", "This is harmful: forged papers enable fraud.\n\n"),
        ("conditional_reasoning", "I should stop here."),
        ("thought_closing", "\n[close]\n"),
        ("answer", "[open] and [close]"),
        ("tool_calls", "[calls]"),
        ("end_of_turn", "[end]\n"),
    ]
    for marker in ("[open]", "[close]", "[end]"):
        with pytest.raises(RowError, match="'harmfulness_assessment' contains"):
            AltTrainExample(**row | {"harmfulness_assessment": f"Harm {marker}."}).completion(fmt)


def test_a_conversation_with_tools_as_a_row(row: dict[str, Any]) -> None:
    call = {"function": {"name": "oven", "arguments": {}}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "user", "content": "Well?"},
    ]
    row |= {"instruction": turns, "tools": [{"name": "oven"}], "tool_calls": [call], "source": "own", "id": None}
    example = AltTrainExample(**row)
    turns[1] = {"role": "assistant", "tool_calls": [call]}
    assert example.messages == turns
    assert example.instruction == tuple(turns)
    del row["id"]
    assert example.as_row() == row | {"instruction": turns}
    assert AltTrainExample(**example.as_row()) == example


@pytest.mark.parametrize(
    ("reasoning", "steps"),
    [
        (" a \n \n b\n\n\nc\n\nd ", ("a", "b", "c\n\nd")),
        ("a\nb\n\nc", ("a\nb", "c", "")),
        ("", ("", "", "")),
    ],
)
def test_a_thought_is_split_at_its_first_two_blank_lines(reasoning: str, steps: tuple[str, ...]) -> None:
    assert split_steps(reasoning) == steps


def test_a_row_without_a_step_joins_the_others(row: dict[str, Any]) -> None:
    del row["harmfulness_assessment"]
    example = AltTrainExample(**row, harmfulness_assessment="", omitted=("harmfulness_assessment",))
    assert example.completion(FORMATS[0]) == (
        "<think>\nOkay, the user wants a forged passport.\n\nI should stop here.\n</think>\n\n"
        "I can't help with that.<|im_end|>"
    )
    assert "".join(text for _, text in example.pieces(FORMATS[0])) == example.completion(FORMATS[0])
    assert example.as_row() == row | {"omitted": ["harmfulness_assessment"]}


def test_the_last_step_may_be_the_one_left_out(row: dict[str, Any]) -> None:
    row |= {"conditional_reasoning": "", "omitted": ["conditional_reasoning", "problem_understanding"]}
    example = AltTrainExample(**row | {"problem_understanding": ""})
    assert example.reasoning == "This is harmful: forged papers enable fraud."
    assert "".join(text for _, text in example.pieces(FORMATS[0])) == example.completion(FORMATS[0])


def test_without_any_step_the_thought_is_empty(row: dict[str, Any]) -> None:
    example = AltTrainExample(**row | dict.fromkeys(STEPS, "") | {"omitted": STEPS})
    assert example.completion(FORMATS[0]) == "<think>\n\n</think>\n\nI can't help with that.<|im_end|>"
    assert "".join(text for _, text in example.pieces(FORMATS[0])) == example.completion(FORMATS[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"omitted": ["harmfulness_assessment"]}, "harmfulness_assessment"),
        ({"harmfulness_assessment": ""}, "harmfulness_assessment"),
        ({"omitted": ["answer"]}, "omitted"),
        ({"omitted": "harmfulness_assessment"}, "omitted"),
    ],
)
def test_a_step_is_left_out_only_if_the_row_says_so(row: dict[str, Any], change: dict[str, Any], field: str) -> None:
    with pytest.raises(RowError) as caught:
        AltTrainExample(**row | change)
    assert caught.value.field == field


def test_an_omitted_step_with_a_text_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(RowError) as caught:
        AltTrainExample(**row, omitted=["harmfulness_assessment"])
    assert str(caught.value) == (
        "field 'harmfulness_assessment' has text, but 'omitted' names this step; remove the text or the name"
    )
