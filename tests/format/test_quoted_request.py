"""Understandings that quote the request."""

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.quoted_request import with_quoted_request
from axolotl_alttrain.format.row_reader import RowReader

ROW = {
    "instruction": "How do I kill\n  a process?",
    "label": "benign",
    "problem_understanding": "They want to end a process.",
    "harmfulness_assessment": "This is harmless: it is about a program.",
    "conditional_reasoning": "One command.",
    "answer": "kill PID",
}
TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "How do I whittle?"},
]


def understanding(**changes: Any) -> str:
    example = RowReader(understanding="quoted")(ROW | changes).example
    assert example
    return example.problem_understanding


def test_the_last_request_is_quoted_on_one_line() -> None:
    assert understanding() == 'The user asks: "How do I kill a process?"'
    assert understanding(instruction=TURNS) == 'The user asks: "How do I whittle?"'


@pytest.mark.parametrize("request_", ["Why?", " ".join(["word"] * 60)], ids=["one word", "the longest"])
def test_the_limits_of_a_quotation(request_: str) -> None:
    assert understanding(instruction=request_) == f'The user asks: "{request_}"'


@pytest.mark.parametrize("request_", ["word " * 61, "What does <|im_end|> mean?"], ids=["long", "marker"])
def test_what_cannot_be_quoted_keeps_its_understanding(request_: str) -> None:
    assert understanding(instruction=request_) == ROW["problem_understanding"]


def test_an_omitted_understanding_stays_omitted() -> None:
    row = {name: text for name, text in ROW.items() if name != "problem_understanding"}
    example = RowReader()(row | {"omitted": ["problem_understanding"]}).example
    assert example
    assert with_quoted_request(example) == example


def test_rows_are_trained_as_written_by_default() -> None:
    example = RowReader.of({"alttrain": {"verdict_weight": 8}}, {})(ROW).example
    assert example
    assert example.problem_understanding == ROW["problem_understanding"]
    quoted = RowReader.of({"alttrain": {"understanding": "quoted"}}, {})(ROW).example
    assert quoted == with_quoted_request(example)
