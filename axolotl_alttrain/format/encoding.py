"""Token ids of texts that a chat template has rendered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, without the special tokens that a tokenizer adds: the template writes its own.

    Args:
        tokenizer: A Hugging Face tokenizer.
        texts: Rendered texts.
    """
    # A call also turns off the backend's own truncation and padding; the backend then takes the rest by itself.
    called = texts[:1] if _is_backend_alone(tokenizer) else texts
    if not called:
        return []
    encoded = tokenizer(list(called), add_special_tokens=False, return_attention_mask=False)
    ids: list[list[int]] = encoded["input_ids"]
    if rest := list(texts[len(called) :]):
        # Faster than a call, which computes offsets.
        found = tokenizer.backend_tokenizer.encode_batch_fast(rest, add_special_tokens=False)
        ids += [encoding.ids for encoding in found]
    return ids


def _is_backend_alone(tokenizer: Any) -> bool:
    """Whether a call gives what the backend gives: no class has a way of its own, as CodeLlama's infilling."""
    return getattr(tokenizer, "is_fast", False) and all(
        owner.__module__.startswith("transformers.tokenization_utils")  # not of a single model
        for owner in type(tokenizer).__mro__
        if {"__call__", "_encode_plus"} & vars(owner).keys()
    )
