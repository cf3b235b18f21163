"""One probe: greedy answers to a few prompts, judged as the evaluator judges them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.probes import load_sets
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, rate
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.greedy import greedy

SETS = ("probe-harmful", "probe-benign")
BATCH = 32  # sequences; the keys and values of an 8B model at 300 tokens take about 1.2 GiB
# Name of each curve and its metric in the evaluator.
CURVES = {
    "harmful_rate": "harmful_response",
    "over_refusal": "over_refusal",
    "structure": "structure",
    "truncated": "truncated",
}


class ProbeTooLong(Exception):
    """A probe exceeded its time limit and was stopped."""


@dataclass(frozen=True)
class Measured:
    """The result of a probe.

    Attributes:
        rates: Rate with interval, by curve.
        tokens: Number of generated tokens.
    """

    rates: dict[str, Rate]
    tokens: int


class Probe:
    """A fixed set of prompts, rendered and encoded once.

    Args:
        chat: The chat format in training; the tokenizer's padding side does not matter.
        per_set: Prompts per set.
        max_new_tokens: Maximum number of tokens per completion.

    Raises:
        AltTrainError: A probe set or the template cannot be used.
    """

    def __init__(self, chat: ChatFormat, per_set: int, max_new_tokens: int) -> None:
        self.chat = chat
        self.max_new_tokens = max_new_tokens
        self.prompts: list[Prompt] = load_sets(SETS, per_set)
        texts = [chat.prompt([{"role": "user", "content": prompt.instruction}]) for prompt in self.prompts]
        self._ids = chat.encode(texts)

    def measure(self, model: Any, seconds_left: Any = lambda: float("inf")) -> Measured:
        """Generate and judge completions.

        Args:
            model: The model, in evaluation mode.
            seconds_left: Remaining time; called after every token.

        Raises:
            ProbeTooLong: The time is up.
        """
        stops = stop_ids(self.chat, model)

        def check(_: int) -> None:
            if seconds_left() <= 0:
                raise ProbeTooLong

        samples: list[Sample] = []
        for start in range(0, len(self.prompts), BATCH):
            ids, mask = _padded(self._ids[start : start + BATCH], self.chat.tokenizer, model.device)
            new = greedy(model, ids, mask, stops, self.max_new_tokens, check)
            asked = self.prompts[start : start + BATCH]
            samples += (self._sample(prompt, out, stops) for prompt, out in zip(asked, new, strict=True))
        by_id = {(prompt.set, prompt.id): prompt for prompt in self.prompts}
        scored = score(samples, by_id, self.chat.thought, lambda texts: [len(ids) for ids in self.chat.encode(texts)])
        metrics = {metric.name: metric for metric in METRICS}
        rates = {}
        for curve, name in CURVES.items():
            metric = metrics[name]
            rates[curve] = rate([metric.counts(one) for one in scored if metric.applies(one.prompt)])
        return Measured(rates, sum(sample.tokens for sample in samples))

    def _sample(self, prompt: Prompt, ids: list[int], stops: set[int]) -> Sample:
        stopped = bool(ids) and ids[-1] in stops
        text = self.chat.tokenizer.decode(
            ids[:-1] if stopped else ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Sample(
            key="",
            run="tuned",
            set=prompt.set,
            id=prompt.id,
            instruction=prompt.instruction,
            completion=text,
            finish="stop" if stopped else "length",
            tokens=len(ids),
        )


def stop_ids(chat: ChatFormat, model: Any) -> set[int]:
    """Ids that end a turn: those of the template, the tokenizer and the model."""
    (end,) = chat.encode([chat.thought.end])
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    found = {*end[-1:], *(own if isinstance(own, list) else [own]), chat.tokenizer.eos_token_id}
    return {int(token) for token in found if token is not None}


def _padded(rows: Sequence[list[int]], tokenizer: Any, device: Any) -> Iterator[torch.Tensor]:
    """Ids and mask, ``[batch, length]``, padded on the left without changing the tokenizer, which training uses."""
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    longest = max(map(len, rows))
    yield torch.tensor([[pad] * (longest - len(row)) + row for row in rows], device=device)
    yield torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
