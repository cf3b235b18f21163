"""One probe: greedy answers to a few prompts, judged as the evaluator judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.probes import load_sets
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, rate
from axolotl_alttrain.eval.stats.separation import Area, Group, area
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.format.verdict_words import learn_wording
from axolotl_alttrain.generation.decoding import completion_text, decode, left_padded, next_log_probabilities
from axolotl_alttrain.generation.next_word import WordShares, score_of
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
        verdict_auroc: How well the verdicts' scores tell the harmful prompts from the benign ones; None where one of
            the two has no score.
    """

    rates: dict[str, Rate]
    tokens: int
    verdict_auroc: Area | None = None


class Probe:
    """A fixed set of prompts, rendered and encoded once.

    Args:
        chat: The chat format in training; the tokenizer's padding side does not matter.
        per_set: Prompts per set.
        max_new_tokens: Maximum number of tokens per completion.
        rows: Training rows, whose wording of verdicts is scored; without any, verdicts have no scores.

    Raises:
        AltTrainError: A probe set or the template cannot be used.
    """

    def __init__(
        self, chat: ChatFormat, per_set: int, max_new_tokens: int, rows: Iterable[AltTrainExample] = ()
    ) -> None:
        self.chat = chat
        self.max_new_tokens = max_new_tokens
        self.prompts: list[Prompt] = load_sets(SETS, per_set)
        texts = [chat.prompt([{"role": "user", "content": prompt.instruction}]) for prompt in self.prompts]
        self._ids = chat.encode(texts)
        self._wording = learn_wording(rows, chat)

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
        auroc = self._verdict_auroc(model, samples, pad, check)
        return Measured(rates, sum(sample.tokens for sample in samples), auroc)

    def _verdict_auroc(
        self, model: Any, samples: Sequence[Sample], pad: int, check: Callable[[int], None]
    ) -> Area | None:
        """The area under the ROC curve of the verdicts' scores, read as the evaluator reads them."""
        if self._wording is None:
            return None
        scores: dict[str, list[float]] = {name: [] for name in SETS}
        read = zip(samples, self._ids, strict=True)
        placed = [(one, ids, place) for one, ids in read if (place := self._wording.place(one.completion, self.chat))]
        for start in range(0, len(placed), BATCH):
            check(0)
            batch = placed[start : start + BATCH]
            found = next_log_probabilities(model, [[*ids, *place.before] for _, ids, place in batch], pad)
            for shares, (sample, _, place) in zip(found, batch, strict=True):
                words = WordShares({word: float(shares[word]) for word in place.opening.words})
                scores[sample.set].append(score_of(words, place.opening, place.forced).log_odds)
        if not all(scores.values()):
            return None
        return area(*(Group(np.array([some]), range(len(some))) for some in scores.values()))

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
