"""Rows that are no examples: each mistake is named in one sentence, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.rows import example_from_row, read_examples, row_error

USER = {"role": "user", "content": "Hi"}
THOUGHT = "Okay, a forged passport.\n\nThis is harmful: fraud.\n\nStop.\nHere."
TAGS = "write one thought before the answer and close it with one </think>"
TAGS_OR_TEXT = "write <think>, the thought, </think> and the answer"
BLOCKS = "write three blocks separated by blank lines: understanding, assessment, conditional reasoning"
ONE_OF_TWO = "remove one of the two"
SHAPES = (
    "which is none of the three shapes; use the columns instruction, label, problem_understanding, "
    "harmfulness_assessment, conditional_reasoning and answer; or instruction and response; or messages"
)
CUT = "<think>Okay, a forged passport.\\n\\nThis is harmful: fraud.…"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("No tags at all.", f"field 'response' has 0 <think> and 0 </think> ('No tags at all.'); {TAGS}"),
        (f"<think>{THOUGHT}", f"field 'response' has 1 <think> and 0 </think> ('{CUT}); {TAGS}"),
        (f"<think>{THOUGHT}</think>a</think>b", f"field 'response' has 1 <think> and 2 </think> ('{CUT}); {TAGS}"),
        ("I <think>a</think>b", "field 'response' has text before <think> ('I <think>a</think>b'); remove that text"),
        (
            "<think>One block.</think>b",
            f"field 'response' has a thought of 1 of 3 blocks ('One block.'); {BLOCKS}",
        ),
        (f"<think>{THOUGHT}</think>  ", "field 'answer' is empty; write a string"),
        (
            "<think>a\n\nb\n\nc</think>d",
            "field 'label' is missing, and the assessment states no clear verdict ('b'); set it to 'harmful' or "
            "'benign'",
        ),
        (5, f"field 'response' is the int 5; {TAGS_OR_TEXT}"),
    ],
)
def test_a_bad_response_is_named(response: Any, said: str) -> None:
    with pytest.raises(RowError) as caught:
        example_from_row({"instruction": "Hi", "response": response})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"content": 5}, f"has a last turn whose content is the int 5; {TAGS_OR_TEXT}"),
        ({"content": "No."}, f"has a last turn that has 0 <think> and 0 </think> ('No.'); {TAGS}"),
        (
            {"reasoning_content": THOUGHT, "content": "<think>a</think>b"},
            f"gives the last turn's thought twice: in think tags and as 'reasoning_content'; {ONE_OF_TWO}",
        ),
        (
            {"reasoning_content": THOUGHT, "thinking": "x", "content": "No."},
            f"gives the last turn's thought twice: as 'reasoning_content' and as 'thinking'; {ONE_OF_TWO}",
        ),
        (
            {"reasoning_content": THOUGHT, "thinking": THOUGHT, "reasoning": "x", "content": "No."},
            "gives the last turn's thought twice: as 'reasoning_content' and as 'thinking' and as 'reasoning'; "
            + ONE_OF_TWO,
        ),
        (
            {"thinking": "x", "content": [{"type": "thinking", "thinking": THOUGHT}]},
            f"gives the last turn's thought twice: as 'thinking' and as 'thinking parts'; {ONE_OF_TWO}",
        ),
        (
            {"reasoning_content": 5, "content": "No."},
            "has a last turn that has no text as its thought, but int 5; write the thought",
        ),
        (
            {"reasoning_content": "One", "content": "No."},
            f"has a last turn that has a thought of 1 of 3 blocks ('One'); {BLOCKS}",
        ),
        (
            {"function_call": {"name": "oven"}, "content": "No."},
            "has a last turn with 'function_call'; write it as 'tool_calls'",
        ),
        ({"content": [{"type": "image"}]}, "has a last turn with the part dict {'type': 'image'}; use text parts"),
        (
            {"content": [{"type": "text", "text": 5}]},
            "has a last turn with the part dict {'type': 'text', 'text': 5}; use text parts",
        ),
        ({"content": ["No."]}, "has a last turn with the part 'No.'; use text parts"),
    ],
)
def test_a_bad_last_turn_is_named(last: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as caught:
        example_from_row({"messages": [USER, {"role": "assistant", **last}]})
    assert str(caught.value) == f"field 'messages' {said}"


AT_LEAST = "list at least a user turn and the assistant's answer"
ASSISTANT = "end it with a turn of role 'assistant'"
JSON = "write a list or its JSON text"
TAGGED = {"instruction": "Hi", "response": f"<think>{THOUGHT}</think>No."}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({}, f"the row has no columns, {SHAPES}"),
        ({"instruction": "Hi", "answer": "Ho", "b": None}, f"the row has the columns answer, instruction, {SHAPES}"),
        (
            {"response": f"<think>{THOUGHT}</think>b"},
            "field 'instruction' is missing; write a string, or a list of messages that ends with a user turn",
        ),
        ({"messages": 5}, f"field 'messages' is the int 5; {AT_LEAST}"),
        ({"messages": [USER]}, f"field 'messages' is the list [{{'role': 'user', 'content': 'Hi'}}]; {AT_LEAST}"),
        (
            {"messages": [USER, USER]},
            f"field 'messages' ends with dict {{'role': 'user', 'content': 'Hi'}}; {ASSISTANT}",
        ),
        ({"messages": [USER, "x"]}, f"field 'messages' ends with 'x'; {ASSISTANT}"),
        ({"messages": "x"}, f"field 'messages' is text, but not JSON ('x'); {JSON}"),
        (TAGGED | {"tool_calls": "x"}, f"field 'tool_calls' is text, but not JSON ('x'); {JSON}"),
        (
            {"messages": [USER, {"role": "assistant", "content": TAGGED["response"], "tool_calls": "x"}]},
            f"field 'tool_calls' is text, but not JSON ('x'); {JSON}",
        ),
        (TAGGED | {"omitted": "[x"}, f"field 'omitted' is text, but not JSON ('[x'); {JSON}"),
        (
            {"messages": [USER, {"role": "assistant", "content": TAGGED["response"]}], "input": "x"},
            "field 'input' is given beside a conversation in 'messages'; move it into 'messages' or remove it",
        ),
    ],
)
def test_a_row_of_no_shape_is_named(bad: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as caught:
        example_from_row(bad)
    assert str(caught.value) == said


@pytest.mark.parametrize("first", ["Hi", {"role": "system", "content": "Hi"}])
def test_an_only_turn_that_is_not_the_users_is_refused(first: Any) -> None:
    with pytest.raises(
        RowError, match=r"^field 'instruction' (has no role in message 1|ends with a turn of role 'sys)"
    ):
        example_from_row({"messages": [first, {"role": "assistant", "content": TAGGED["response"]}]})


def test_files_name_file_row_and_id(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "rows.jsonl"
    bad = row | {"id": "b2", "answer": ""}
    path.write_text("\n".join(map(json.dumps, [row, {**bad}])) + "\n", encoding="utf-8")
    with pytest.raises(RowError) as caught:
        read_examples(path)
    assert str(caught.value) == (f"{path}, row 2 (id b2): field 'answer' is empty; write a string")


@pytest.mark.parametrize("content", [b"{not json}\n", b"[1]\n", b"\xff\xfe\n"])
def test_files_that_are_not_jsonl(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(AltTrainError, match=r"rows\.jsonl"):
        read_examples(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match="cannot be read"):
        read_examples(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("number", "name", "place"),
    [
        (None, None, "f.jsonl"),
        (3, None, "f.jsonl, row 3"),
        (0, None, "f.jsonl, row 0"),
        (None, "b2", "f.jsonl, (id b2)"),
        (3, 7, "f.jsonl, row 3 (id 7)"),
        (3, "x" * 100, f"f.jsonl, row 3 (id {'x' * 100})"),
        (3, "x" * 101, f"f.jsonl, row 3 (id '{'x' * 58}…)"),
        (3, "a\tb", "f.jsonl, row 3 (id 'a\\tb')"),
    ],
)
def test_the_place_of_a_row(number: int | None, name: Any, place: str) -> None:
    error = row_error(RowError("answer", "is empty", "write a string"), {"id": name}, "f.jsonl", number)
    assert (error.where, str(error)) == (place, f"{place}: field 'answer' is empty; write a string")
