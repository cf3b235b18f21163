"""Token lengths of a recipe's rows: counted with its tokenizer, or estimated from the texts if it is unavailable."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.cli.preview.preview_rows import read_rows
from axolotl_alttrain.cli.recipe import entries, load_rows, load_tokenizer, with_data
from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn, Conversation
from axolotl_alttrain.format.reasoning.conversation_reader import conversation_from_row
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.rows import row_error

# Least-squares fit over the seed rows with Qwen's tokenizer. Templates differ in what they add per row.
TOKENS_PER_BYTE = 0.2
TOKENS_PER_ROW = 30


@dataclass(frozen=True)
class Lengths:
    """Token counts of the training rows.

    Attributes:
        tokens: One number per row, without dropped rows.
        dropped: Number of rows longer than ``sequence_len``.
        how: How they were obtained, in words.
        counted: Whether they were counted with the model's tokenizer.
    """

    tokens: list[int]
    dropped: int
    how: str
    counted: bool


def row_lengths(cfg: Any) -> Lengths:
    """Lengths of all AltTrain rows of a recipe.

    Args:
        cfg: From :func:`~.recipe.load_config`.

    Raises:
        AltTrainError: The data cannot be read, a row is not valid, or no row is left to train on.
    """
    try:
        tokenizer = load_tokenizer(cfg)
    except AltTrainError:
        found = [_estimated(example) for example in _examples(cfg)]
        how = (
            f"estimated from the texts at {TOKENS_PER_BYTE} tokens per byte and {TOKENS_PER_ROW} per row, because the "
            "tokenizer is unavailable"
        )
        counted = False
    else:
        found = [row.tokens for row in read_rows(with_data(cfg, tokenizer))]
        how, counted = "counted with the model's tokenizer", True
    limit = int(cfg.sequence_len)
    if cfg.excess_length_strategy == "truncate":
        kept = [min(tokens, limit) for tokens in found]
    else:
        kept = [tokens for tokens in found if tokens <= limit]
    if not kept:
        raise AltTrainError(f"datasets: none of the {len(found)} rows fits into sequence_len {limit}; raise it")
    return Lengths(kept, len(found) - len(kept), how, counted)


def with_rows(lengths: Lengths, rows: int, seed: int) -> Lengths:
    """Lengths for a dataset of ``rows`` rows: these lengths repeated, then a random part of them."""
    import numpy as np

    whole, part = divmod(rows, len(lengths.tokens))
    drawn = np.random.default_rng(seed).choice(lengths.tokens, part, replace=False).tolist()
    how = f"{lengths.how}; {len(lengths.tokens)} rows stand for {rows}"
    return Lengths(lengths.tokens * whole + drawn, lengths.dropped, how, lengths.counted)


def _examples(cfg: Any) -> list[AltTrainExample | Conversation]:
    from axolotl_alttrain.entries import is_reasoning

    examples: list[AltTrainExample | Conversation] = []
    for entry, ours in entries(cfg):
        reader = RowReader.of(cfg, entry)
        for number, row in enumerate(load_rows(cfg, entry) if ours else (), 1):
            try:
                if is_reasoning(entry.type):
                    examples.append(conversation_from_row(reader.keys.apply(row)))
                    continue
                example = reader(row).example
            except RowError as error:
                raise row_error(error, row, str(entry.path), number) from None
            if example is not None:
                examples.append(example)
    return examples


def _estimated(example: AltTrainExample | Conversation) -> int:
    if isinstance(example, Conversation):
        texts = [
            f"{turn.thought or ''}{turn.answer}" if isinstance(turn, AssistantTurn) else str(turn.get("content") or "")
            for turn in example.turns
        ]
        size = len("".join([*texts, *map(str, example.tools)]).encode())
        return math.ceil(TOKENS_PER_BYTE * size) + TOKENS_PER_ROW
    contents = [message.get("content") for message in example.messages]
    text = "".join(content if isinstance(content, str) else str(content or "") for content in contents)
    text += "".join(json.dumps(item, ensure_ascii=False, default=str) for item in (*example.tools, *example.tool_calls))
    size = len((text + example.reasoning + example.answer).encode())
    return math.ceil(TOKENS_PER_BYTE * size) + TOKENS_PER_ROW
