"""Which tokens end a completion."""

from __future__ import annotations

from typing import Any


def stop_ids(tokenizer: Any, end: str, model: Any = None) -> list[int]:
    """Token ids that end a completion, in ascending order.

    They are the last token of the end of turn, the tokenizer's EOS, and the EOS ids of the model's generation config
    and config: each of them is incomplete for some published models.

    Args:
        tokenizer: The model's.
        end: The end of turn as the template writes it, ``ChatFormat.thought.end``.
        model: A causal language model of transformers, possibly with an adapter.
    """
    found: list[Any] = [*tokenizer(end, add_special_tokens=False)["input_ids"][-1:], tokenizer.eos_token_id]
    for config in (getattr(model, "generation_config", None), getattr(model, "config", None)):
        ids = getattr(config, "eos_token_id", None)
        found += ids if isinstance(ids, list | tuple) else [ids]
    return sorted({int(token) for token in found if token is not None})
