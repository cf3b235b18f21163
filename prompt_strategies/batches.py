"""Batches of rows on their way through ``datasets``: columns in, tokens out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl.prompt_tokenizers import IGNORE_INDEX
from datasets import Features, List, Value

Tokens = dict[str, list[int]]
TokensBatch = dict[str, list[list[int]]]

# Columns of the mapped dataset that are read and removed at its end.
NUMBER, UNREAD = "alttrain_row", "alttrain_unread"
# Given, because a batch of which every row is left out has no values to infer types from.
COLUMNS = Features(
    {
        "input_ids": List(Value("int32")),
        "attention_mask": List(Value("int8")),
        "labels": List(Value("int64")),
        NUMBER: Value("int64"),
        UNREAD: Value("string"),
    }
)


@dataclass(frozen=True)
class RenderedRow:
    """The texts of one row in one mode.

    Attributes:
        texts: Prompt, completion, and so on for each trained turn; none if the row carries no loss.
        number, unread: As in :class:`TokenizedRow`.
    """

    texts: Sequence[str]
    number: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenizedRow:
    """One row's tokens; none if its last turn is marked as untrained.

    Attributes:
        turns: Token ids of each trained turn, and of the part of the prompt in front of it, which comes first.
        number: Number of the row, from 1; 0 if unknown.
        unread: Names of fields that are neither trained nor in the prompt.
    """

    turns: list[tuple[list[int], list[int]]]
    number: int
    unread: tuple[str, ...]


def tokenized(rows: Sequence[RenderedRow], encode: Callable[[Sequence[str]], list[list[int]]]) -> list[TokenizedRow]:
    """The tokens of rendered rows; ``encode`` gets all their texts at once."""
    encoded = iter(encode([text for row in rows for text in row.texts]))
    found = []
    for row in rows:
        ids = [next(encoded) for _ in row.texts]
        found.append(TokenizedRow(list(zip(ids[::2], ids[1::2], strict=True)), row.number, row.unread))
    return found


def tokens_of(rows: Sequence[TokenizedRow]) -> TokensBatch:
    """The columns that Axolotl trains; loss on the completions."""
    found: TokensBatch = {"input_ids": [], "attention_mask": [], "labels": []}
    for row in rows:
        ids: list[int] = []
        labels: list[int] = []
        for prompt, completion in row.turns:
            ids += prompt
            ids += completion
            labels += [IGNORE_INDEX] * len(prompt)
            labels += completion
        found["input_ids"].append(ids)
        found["attention_mask"].append([1] * len(ids))
        found["labels"].append(labels)
    return found


def rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a batch in columns."""
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def is_batch(prompt: Mapping[str, Any]) -> bool:
    """Whether this is a batch: every column is a list, and one of messages holds conversations, not messages."""
    messages = prompt.get("messages") or prompt.get("conversations") or [None]
    return all(isinstance(values, list) for values in prompt.values()) and not isinstance(messages[0], Mapping)
