from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.rows import example_from_row, read_examples

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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"response": "No tags at all."},
            "field 'response' has 0 <think> and 0 </think> ('No tags at all.'); write one",
        ),
        ({"response": f"<think>{THOUGHT}"}, "field 'response' has 1 <think> and 0 </think>"),
        ({"response": f"<think>{THOUGHT}</think>a</think>b"}, "field 'response' has 1 <think> and 2 </think>"),
        ({"response": f"Intro <think>{THOUGHT}</think>b"}, "field 'response' has text before <think>"),
        ({"response": "<think>One block.</think>b"}, "field 'response' has a thought of 1 of 3 blocks ('One block.')"),
        ({"response": f"<think>{THOUGHT}</think>  "}, "field 'answer' is empty"),
        (
            {"response": "<think>a\n\nb\n\nc</think>d"},
            "field 'label' is missing, and the assessment states no clear verdict",
        ),
        ({"response": 5}, "field 'response' is the int 5; write <think>, the thought, </think> and the answer"),
        ({"instruction": None, "response": f"<think>{THOUGHT}</think>b"}, "field 'instruction' is missing"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "field 'messages' is the list [{'role'"),
        ({"messages": [{"role": "user", "content": "Hi"}] * 2}, "field 'messages' ends with dict {'role': 'user'"),
        (
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": 5}]},
            "field 'messages' has a last turn whose content is the int 5; write <think>",
        ),
        (
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No."}]},
            "field 'messages' has a last turn that has 0 <think> and 0 </think> ('No.')",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "reasoning_content": THOUGHT, "content": "<think>a</think>b"},
                ]
            },
            "field 'messages' gives the last turn's thought twice: in think tags and as 'reasoning_content'; remove",
        ),
        ({}, "the row has the columns instruction, which is none of the three shapes; use the columns"),
    ],
)
def test_bad_rows_name_the_field(change: dict[str, Any], said: str) -> None:
    base = {"instruction": "Hi"} if "messages" not in change else {}
    with pytest.raises(RowError) as caught:
        example_from_row(base | change)
    assert str(caught.value).startswith(said)


def test_files_name_file_row_and_id(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "rows.jsonl"
    bad = row | {"id": "b2", "answer": ""}
    path.write_text("\n".join(map(json.dumps, [row, {**bad}])) + "\n", encoding="utf-8")
    with pytest.raises(RowError) as caught:
        read_examples(path)
    assert str(caught.value) == (f"{path}, row 2 (id b2): field 'answer' is empty; write a text")


@pytest.mark.parametrize("content", [b"{not json}\n", b"[1]\n", b"\xff\xfe\n"])
def test_files_that_are_not_jsonl(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(AltTrainError, match=r"rows\.jsonl"):
        read_examples(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match="cannot be read"):
        read_examples(tmp_path / "none.jsonl")


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
