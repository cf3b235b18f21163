"""The batches of one epoch, packed or padded, as Axolotl makes them from the rows' lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axolotl_alttrain.fit.duration import Batch

# Axolotl's defaults: core/builders/causal.py.
_MULTIPLE = 64
_BIN_ROWS = 200


def epoch_batches(lengths: Sequence[int], cfg: Any) -> list[Batch]:
    """The forward passes of one epoch, in an order drawn with the recipe's seed.

    Args:
        lengths: Tokens of each row; longer rows count as ``sequence_len``.
        cfg: The recipe as Axolotl completes it.
    """
    kept = [min(length, cfg.sequence_len) for length in lengths]
    if not kept:
        return []
    return _packed(kept, cfg) if cfg.sample_packing else _padded(kept, cfg)


def _padded(lengths: Sequence[int], cfg: Any) -> list[Batch]:
    import numpy as np

    order = np.random.default_rng(cfg.seed or 0).permutation(len(lengths))
    size = int(cfg.micro_batch_size)
    found = []
    for start in range(0, len(order), size):
        rows = [lengths[i] for i in order[start : start + size]]
        found.append(Batch(len(rows), sum(rows), len(rows) * _pad(max(rows), cfg)))
    return found


def _packed(lengths: Sequence[int], cfg: Any) -> list[Batch]:
    import numpy as np
    import torch
    from axolotl.utils.samplers import MultipackBatchSampler
    from torch.utils.data import RandomSampler

    bins, capacity = int(cfg.micro_batch_size), int(cfg.sequence_len)
    if cfg.attn_supports_packing and not cfg.multipack_real_batches:
        bins, capacity = 1, bins * capacity  # one long row instead of several
    generator = torch.Generator().manual_seed(int(cfg.seed or 0))
    sampler = MultipackBatchSampler(
        RandomSampler(range(len(lengths)), generator=generator),
        batch_size=bins,
        batch_max_len=capacity,
        lengths=np.array(lengths),
        bin_size=cfg.sample_packing_bin_size or _BIN_ROWS,
        group_size=cfg.sample_packing_group_size or 100_000,
        sequential=bool(cfg.sample_packing_sequentially),
        drop_last=True,
        num_processes=1,
    )
    found = []
    for batch in sampler.generate_batches():
        sums = [sum(lengths[i] for i in rows) for rows in batch]
        padded = capacity if cfg.pad_to_sequence_len else _pad(max(sums), cfg)
        found.append(Batch(sum(map(len, batch)), sum(sums), len(batch) * padded))
    return found


def _pad(tokens: int, cfg: Any) -> int:
    multiple = int(cfg.pad_to_multiple_of or _MULTIPLE)
    if cfg.pad_to_sequence_len:
        return -(-int(cfg.sequence_len) // multiple) * multiple
    return tokens if cfg.pad_to_sequence_len is False else -(-tokens // multiple) * multiple
