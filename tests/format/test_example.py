from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import STEPS, AltTrainExample, ThoughtFormat

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
        ("answer", "  ", "is empty; write a text"),
        ("answer", None, "is missing; write a text"),
        ("problem_understanding", 3, "is the int 3; write a text"),
        ("instruction", "", "is empty; write a text"),
        ("instruction", [], "is the list []; write a text, or a list of messages that ends with a user turn"),
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
            "has no text in message 1: its content is the int 3; make the content a text or a list of parts",
        ),
        ("omitted", "answer", "is 'answer'; list some of " + ", ".join(STEPS)),
        ("language", 7, "is the int 7; write a string or leave the field out"),
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
    with pytest.raises(RowError, match=field):
        AltTrainExample(**row).completion(FORMATS[0])


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
