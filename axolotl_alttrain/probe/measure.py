"""One probe: greedy answers to a few prompts, judged as the evaluator judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.probes import load_sets
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, rate
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.decoding import completion_text, decode, left_padded
from axolotl_alttrain.generation.stopping import stop_ids

SETS = ("probe-harmful-open", "probe-benign-open")  # checkpoints are chosen by them
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
        # Not padded by the tokenizer, whose padding side belongs to the training.
        tokenizer = self.chat.tokenizer
        pad = tokenizer.pad_token_id or 0
        stops = stop_ids(tokenizer, self.chat.thought.end, model)

        def check(_: int) -> None:
            if seconds_left() <= 0:
                raise ProbeTooLong

        samples: list[Sample] = []
        for start in range(0, len(self.prompts), BATCH):
            ids, mask = left_padded(self._ids[start : start + BATCH], pad, model.device)
            new = decode(model, ids, mask, stops, self.max_new_tokens, check)
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

    def _sample(self, prompt: Prompt, ids: list[int], stops: list[int]) -> Sample:
        found = completion_text(self.chat.tokenizer, ids, stops)
        return Sample(
            key="",
            run="tuned",
            set=prompt.set,
            id=prompt.id,
            instruction=prompt.instruction,
            completion=found.text,
            finish="stop" if found.stopped else "length",
            tokens=found.tokens,
        )
