"""Cross-entropy in which the token that states the verdict counts more than the others.

One of about eighty trained tokens decides whether a request is refused, so plain cross-entropy spends little on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axolotl.prompt_tokenizers import IGNORE_INDEX

from axolotl_alttrain.format.verdict_words import Wording


@dataclass(frozen=True)
class VerdictLoss:
    """A ``compute_loss_func`` of transformers' trainer.

    Attributes:
        wording: How the training rows state their verdicts.
        weight: How many times a verdict word counts.
    """

    wording: Wording
    weight: float

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        """The loss per trained token, as without weights.

        Args:
            outputs: The model's, with ``logits`` of shape (rows, tokens, vocabulary).
            labels: Token ids of shape (rows, tokens), -100 where there is no loss.
            num_items_in_batch: Trained tokens of all micro-batches of the step; None for those of ``labels``.
        """
        import torch

        trained = labels[:, 1:] != IGNORE_INDEX
        logits, target = outputs.logits[:, :-1][trained], labels[:, 1:][trained]
        losses = torch.nn.functional.cross_entropy(logits.float(), target, reduction="none")
        weights = 1 + (self.weight - 1) * self.verdict_words(labels)[:, 1:][trained].to(losses.dtype)
        count = trained.sum() if num_items_in_batch is None else num_items_in_batch
        return (losses * weights).sum() / count

    def verdict_words(self, labels: Any) -> Any:
        """Where the labels state a verdict: a mask of their shape, with at most one place in each completion.

        With sample packing, a row of ``labels`` has several completions; prompts, which carry no loss, separate them.
        """
        import torch

        found = torch.zeros_like(labels, dtype=torch.bool)
        for opening in self.wording.openings:
            here = torch.isin(labels, torch.tensor(opening.words, device=labels.device))
            for back, token in enumerate(reversed(opening.before), 1):
                here &= torch.roll(labels, back, dims=1) == token
                here[:, :back] = False
            found |= here
        earlier = found.cumsum(dim=1) - found.long()
        begins = labels != IGNORE_INDEX
        begins[:, 1:] &= labels[:, :-1] == IGNORE_INDEX
        before_completion = (earlier * begins).cummax(dim=1).values
        return found & (earlier == before_completion)
