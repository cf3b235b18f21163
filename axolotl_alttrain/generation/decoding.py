"""Decode a batch on a loaded model. Finished sequences leave the batch instead of being padded on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache


@dataclass(frozen=True)
class Decoded:
    """One completion.

    Attributes:
        text: Without the stop token.
        stopped: The model ended its turn. False: it was cut off at the token limit.
        tokens: Length in tokens, the stop token included.
    """

    text: str
    stopped: bool
    tokens: int


def decode(
    model: Any,
    ids: torch.Tensor,
    mask: torch.Tensor,
    stop_ids: Collection[int],
    max_new_tokens: int,
    on_token: Callable[[int], None] | None = None,
    pick: Callable[[torch.Tensor, list[int]], torch.Tensor] | None = None,
) -> list[list[int]]:
    """Decode a batch. transformers' ``generate`` would keep computing sequences that have ended.

    Args:
        model: A causal language model of transformers; the caller sets its adapter and mode.
        ids, mask: Prompts padded on the left, ``[batch, length]``, on the model's device.
        stop_ids: Token ids that end a sequence.
        max_new_tokens: Token limit of each completion.
        on_token: Called after each step with the number of sequences in the batch.
        pick: Takes the last logits ``[rows, vocabulary]`` and the prompt number of each row, returns token ids
            ``[rows, 1]``. The default is greedy; :func:`axolotl_alttrain.generation.sampling.sampler` samples.

    Returns:
        The new token ids of each prompt, up to and including a stop token.
    """
    new: list[list[int]] = [[] for _ in ids]
    rows = list(range(len(new)))
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        for _ in range(max_new_tokens):
            logits = _last_logits(model, ids, mask, positions, cache)
            ids = logits.argmax(-1, keepdim=True) if pick is None else pick(logits, rows)
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


def _last_logits(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: DynamicCache
) -> torch.Tensor:
    """The logits after the last token of each row, ``[rows, vocabulary]``; the cache takes in ``ids``."""
    found: torch.Tensor = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits
    return found[:, -1]


def next_log_probabilities(model: Any, rows: Sequence[Sequence[int]], pad_id: int) -> torch.Tensor:
    """Log-probabilities of the token after each row, ``[batch, vocabulary]``, in float32.

    Args:
        model: As for :func:`decode`.
        rows: Token ids, at least one each.
        pad_id: Stands before shorter rows.
    """
    ids, mask = left_padded(rows, pad_id, model.device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        logits = _last_logits(model, ids, mask, positions, DynamicCache(config=model.config))
    return logits.float().log_softmax(-1)


def left_padded(rows: Sequence[Sequence[int]], pad_id: int, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask of a batch, ``[batch, length]``, padded on the left.

    Args:
        rows: Token ids of each prompt.
        pad_id: Stands before shorter prompts; the mask hides it.
        device: Where the tensors go.
    """
    longest = max(map(len, rows))
    ids = torch.tensor([[pad_id] * (longest - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def completion_text(
    tokenizer: Any, ids: Sequence[int], stop_ids: Collection[int], skip_special_tokens: bool = False
) -> Decoded:
    """The completion that new token ids spell, up to the first stop token.

    Args:
        tokenizer: The model's.
        ids: As :func:`decode` returns them for one prompt.
        stop_ids: Token ids that end a sequence.
        skip_special_tokens: Leave special tokens out of the text. Some templates write thoughts with them.
    """
    end = next((place for place, token in enumerate(ids) if token in stop_ids), None)
    kept = list(ids[:end])
    text = tokenizer.decode(kept, skip_special_tokens=skip_special_tokens, clean_up_tokenization_spaces=False)
    return Decoded(text, end is not None, len(kept) + (end is not None))
