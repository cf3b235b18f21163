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


def test_a_thought_with_line_breaks_instead_of_blank_lines_is_split_at_them() -> None:
    response = "<think>\nA passport.\nThis is harmful.\nStop.\nHere.\n</think>\nNo."
    assert steps(example_from_row({"instruction": "x", "response": response})) == (
        "A passport.",
        "This is harmful.",
        "Stop.\nHere.",
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"response": "No tags at all."}, "response"),
        ({"response": f"<think>{THOUGHT}"}, "response"),
        ({"response": f"<think>{THOUGHT}</think>a</think>b"}, "response"),
        ({"response": f"Intro <think>{THOUGHT}</think>b"}, "response"),
        ({"response": "<think>One block.</think>b"}, "response"),
        ({"response": f"<think>{THOUGHT}</think>  "}, "answer"),
        ({"response": "<think>a\n\nb\n\nc</think>d"}, "label"),
        ({"response": 5}, "response"),
        ({"instruction": None, "response": f"<think>{THOUGHT}</think>b"}, "instruction"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "Hi"}] * 2}, "messages"),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "reasoning_content": THOUGHT, "content": "<think>a</think>b"},
                ]
            },
            "messages",
        ),
        ({}, "row"),
    ],
)
def test_bad_rows_name_the_field(change: dict[str, Any], field: str) -> None:
    base = {"instruction": "Hi"} if "messages" not in change else {}
    with pytest.raises(RowError) as caught:
        example_from_row(base | change)
    assert caught.value.field.startswith(field)


def test_files_name_file_row_and_id(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "rows.jsonl"
    bad = row | {"id": "b2", "answer": ""}
    path.write_text("\n".join(map(json.dumps, [row, {**bad}])) + "\n", encoding="utf-8")
    with pytest.raises(RowError) as caught:
        read_examples(path)
    assert str(caught.value) == (
        f"{path}, row 2 (id b2): field 'answer': found an empty text; allowed: a text that is not empty"
    )


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
