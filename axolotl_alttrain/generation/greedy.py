"""Greedy decoding of a batch on a loaded model; finished sequences leave the batch instead of being padded on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from transformers import DynamicCache


def greedy(
    model: Any,
    ids: torch.Tensor,
    mask: torch.Tensor,
    stop_ids: Collection[int],
    max_new_tokens: int,
    on_token: Callable[[int], None] | None = None,
    pick: Callable[[torch.Tensor, list[int]], torch.Tensor] | None = None,
) -> list[list[int]]:
    """Decode a batch; ``generate`` would keep computing the sequences that have ended.

    Args:
        model: A causal language model of transformers, adapter and mode set by the caller.
        ids, mask: Left-padded prompts, ``[batch, length]``, on the model's device.
        stop_ids: Token ids that end a sequence.
        max_new_tokens: Most tokens per completion.
        on_token: Called after each step with the number of sequences in the batch.
        pick: Takes the last logits ``[rows, vocabulary]`` and which prompts the rows are, gives token ids
            ``[rows, 1]``; the likeliest by default.

    Returns:
        New token ids per prompt, up to and including a stop token.
    """
    new: list[list[int]] = [[] for _ in ids]
    rows = list(range(len(new)))
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        for _ in range(max_new_tokens):
            logits = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits
            ids = logits[:, -1].argmax(-1, keepdim=True) if pick is None else pick(logits[:, -1], rows)
            for row, token in zip(rows, ids[:, 0].tolist(), strict=True):
                new[row].append(token)
            if on_token:
                on_token(len(rows))
            alive = [i for i, row in enumerate(rows) if new[row][-1] not in stop_ids]
            if not alive:
                break
            if len(alive) < len(rows):
                keep = torch.tensor(alive, device=ids.device)
                cache.batch_select_indices(keep)
                ids, mask, positions = ids[keep], mask[keep], positions[keep]
                rows = [rows[i] for i in alive]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            positions = positions[:, -1:] + 1
    return new
