"""Sampling with temperature. Each sequence has its own generator, so that the rest of its batch does not matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    Pick = Callable[[torch.Tensor, list[int]], torch.Tensor]


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen.

    Attributes:
        max_new_tokens: Token limit of each completion.
        temperature: 0 is greedy.
        top_p: Probability mass that is sampled from; 1 is all of it.
        seed: The run's seed; each request adds its own.
        max_thought_tokens: A thought that reaches this limit is closed; None for no limit of its own.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    max_thought_tokens: int | None = None

    def as_dict(self) -> dict[str, int | float | bool]:
        """The settings for keys and the summary, without those that greedy decoding ignores."""
        greedy: dict[str, int | float | bool] = {
            "max_new_tokens": self.max_new_tokens,
            "do_sample": self.temperature > 0,
        }
        if self.max_thought_tokens is not None:  # only then, so that keys of earlier runs stay
            greedy["max_thought_tokens"] = self.max_thought_tokens
        if self.temperature == 0:
            return greedy
        return {"temperature": self.temperature, "top_p": self.top_p, "seed": self.seed, **greedy}


def sampler(sampling: Sampling, seeds: Sequence[int]) -> Pick | None:
    """The function that picks the next tokens of a batch; None for greedy decoding.

    Args:
        sampling: Temperature, nucleus and the run's seed.
        seeds: The seed of each sequence of the batch.
    """
    if sampling.temperature == 0:
        return None
    import torch

    generators = [torch.Generator().manual_seed((sampling.seed * 1_000_003 + seed) % 2**63) for seed in seeds]

    def pick(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        shares = torch.softmax(logits.float() / sampling.temperature, dim=-1)
        if sampling.top_p < 1:
            ordered, order = shares.sort(descending=True)
            # The token that crosses the limit stays in.
            ordered[ordered.cumsum(-1) - ordered >= sampling.top_p] = 0
            shares = torch.zeros_like(shares).scatter(-1, order, ordered)
        picked = [
            torch.multinomial(share, 1, generator=generators[row])
            for share, row in zip(shares.cpu(), rows, strict=True)
        ]
        return torch.stack(picked).to(logits.device)

    return pick
