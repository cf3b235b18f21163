from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.batches import (
    RenderedRow,
    TokenizedRow,
    is_batch,
    rows_of,
    tokenized,
    tokens_of,
)


def encode(texts: Sequence[str]) -> list[list[int]]:
    return [[ord(letter) for letter in text] for text in texts]


def test_the_tokens_of_rows_that_are_encoded_together() -> None:
    rendered = [
        RenderedRow(["A", "bc"], 1),
        RenderedRow([], 2, ("note",)),
        RenderedRow(["A", "b", "", "d"], 0, ("x", "y")),
    ]
    rows = tokenized(rendered, encode)
    assert rows == [
        TokenizedRow([([65], [98, 99])], 1, ()),
        TokenizedRow([], 2, ("note",)),
        TokenizedRow([([65], [98]), ([], [100])], 0, ("x", "y")),
    ]
    assert tokens_of(rows) == {
        "input_ids": [[65, 98, 99], [], [65, 98, 100]],
        "attention_mask": [[1, 1, 1], [], [1, 1, 1]],
        "labels": [[-100, 98, 99], [], [-100, 98, 100]],
    }


def test_a_prompt_without_its_completion_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        tokenized([RenderedRow(["A", "b", "c"], 1)], encode)


def test_rows_of_columns() -> None:
    assert rows_of({"a": [1, 2], "b": ["x", None]}) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    with pytest.raises(ValueError, match="shorter"):
        rows_of({"a": [1, 2], "b": ["x"]})


TURN = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("prompt", "batch"),
    [
        ({"instruction": "a"}, False),
        ({"instruction": ["a", "b"]}, True),
        ({"instruction": ["a"], "label": "benign"}, False),
        ({"messages": [TURN]}, False),
        ({"messages": [[TURN]]}, True),
        ({"messages": [None], "instruction": ["a"]}, True),
        ({"messages": [], "instruction": []}, True),
        ({"conversations": [TURN]}, False),
        ({"conversations": [[TURN]]}, True),
    ],
)
def test_a_row_or_a_batch(prompt: dict[str, Any], batch: bool) -> None:
    assert is_batch(prompt) is batch
