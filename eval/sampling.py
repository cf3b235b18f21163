"""Sampling with temperature, reproducible whatever else is in the batch: each sequence has its own generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from .backends.base import Sampling

Pick = Callable[[torch.Tensor, list[int]], torch.Tensor]


def sampler(sampling: Sampling, seeds: Sequence[int]) -> Pick | None:
    """How the next tokens of a batch are picked; None for greedy decoding.

    Args:
        sampling: Temperature, nucleus and the run's seed.
        seeds: One for each sequence of the batch.
    """
    if sampling.temperature == 0:
        return None
    generators = [torch.Generator().manual_seed((sampling.seed * 1_000_003 + seed) % 2**63) for seed in seeds]

    def pick(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        shares = torch.softmax(logits.float() / sampling.temperature, dim=-1).cpu()
        if sampling.top_p < 1:
            ordered, order = shares.sort(descending=True)
            # The token that crosses the border stays in.
            ordered[ordered.cumsum(-1) - ordered >= sampling.top_p] = 0
            shares = torch.zeros_like(shares).scatter(-1, order, ordered)
        picked = [
            torch.multinomial(share, 1, generator=generators[row]) for share, row in zip(shares, rows, strict=True)
        ]
        return torch.stack(picked).to(logits.device)

    return pick
