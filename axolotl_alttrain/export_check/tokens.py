"""Completions as tokens: whether two are equal, where they part, and which token decides a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axolotl_alttrain.export_check.measure import Completed
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.verdict.reader import read_verdict


def completion_ids(one: Completed, tokenizer: Any, thought: ThoughtFormat, joined: bool) -> tuple[int, ...]:
    """Token ids of a completion, with the stop token if the model ended its turn.

    Args:
        one: The completion. Its text is encoded again, so texts are equal exactly where the ids are.
        tokenizer: The same for both forms.
        thought: The trained form's.
        joined: Take thought and answer without the white space around them, as a server's chat endpoint returns them.
    """
    text = one.sample.completion
    if joined:
        closed = thought.close + one.parsed.answer if not one.parsed.truncated else ""
        text = thought.open + one.parsed.thought + closed
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if one.sample.finish != "stop":
        return tuple(ids)
    end = tokenizer(thought.end, add_special_tokens=False)["input_ids"][-1:] or [tokenizer.eos_token_id]
    return (*ids, *end)


def first_difference(first: Sequence[int], second: Sequence[int]) -> int | None:
    """The number of tokens that two completions have in common; None if they are equal."""
    if first == second:
        return None
    pairs = zip(first, second, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def verdict_position(one: Completed, ids: Sequence[int], tokenizer: Any) -> int | None:
    """The place of the token that completes the first word of verdict in the assessment.

    Args:
        one: A completion as it was generated.
        ids: Its token ids.
        tokenizer: The one they are from.

    Returns:
        The number of tokens before it; None if the thought has no assessment.
    """
    parsed, text = one.parsed, one.sample.completion
    if not parsed.has_steps:
        return None
    start = text.find(parsed.harmfulness_assessment, text.find(parsed.problem_understanding) + 1)
    for number in range(1, len(ids) + 1):
        so_far = tokenizer.decode(list(ids[:number]), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        inside_word = text[len(so_far) : len(so_far) + 1].isalnum()
        if len(so_far) > start and not inside_word and read_verdict(so_far[start:]) != "undetermined":
            return number - 1
    return None
