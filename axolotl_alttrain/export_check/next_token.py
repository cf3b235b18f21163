"""Probabilities of the next token, from a model in this process or from a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any

from axolotl_alttrain.eval.backends import Backend
from axolotl_alttrain.generation.next_word import LIKELIEST, NoLogProbabilities

if TYPE_CHECKING:
    import torch

    from axolotl_alttrain.eval.backends.api import APIBackend
    from axolotl_alttrain.eval.backends.hf import HFBackend

BATCH = 16
_BROKEN = "\N{REPLACEMENT CHARACTER}"  # part of a character: several tokens have this text

# By text of the token, the likeliest first.
Distribution = Mapping[str, float]


@dataclass(frozen=True)
class Position:
    """A place in a completion.

    Attributes:
        prompt: The rendered prompt.
        before: The token ids of the completion up to this place.
    """

    prompt: str
    before: tuple[int, ...] = ()


@dataclass(frozen=True)
class NextTokens:
    """What a form gives for the next token at each position; without distributions, ``reason`` says why."""

    found: tuple[Distribution, ...] = ()
    reason: str = ""


def next_tokens(backend: Backend, run: str, positions: Sequence[Position], tokenizer: Any) -> NextTokens:
    """The likeliest next tokens at each position.

    Args:
        backend: Runs the model.
        run: The form's run.
        positions: Where.
        tokenizer: The one that ``before`` is encoded with.
    """
    kind = backend.settings().backend
    if kind == "hf":
        return NextTokens(tuple(_local(backend, run, positions)))  # type: ignore[arg-type]
    if kind == "api":
        return _served(backend, positions, tokenizer)  # type: ignore[arg-type]
    return NextTokens(reason=f"--engine {kind} gives no probabilities; start a server and use --url")


def largest_difference(first: Distribution, second: Distribution) -> float:
    """The largest difference of two distributions at one token, between 0 and 1.

    A token that only one form lists has in the other at most the smallest probability listed there, which is taken. So
    the difference is never overstated.
    """
    if not first or not second:
        return 0.0
    low, other_low = min(first.values()), min(second.values())
    return max(abs(first.get(token, low) - second.get(token, other_low)) for token in {*first, *second})


def _local(backend: HFBackend, run: str, positions: Sequence[Position]) -> list[Distribution]:
    prompts = backend.chat.encode([position.prompt for position in positions])
    rows = [[*ids, *position.before] for ids, position in zip(prompts, positions, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    found: dict[int, Distribution] = {}
    with backend.adapter(run == "tuned"):
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            for i, row in zip(batch, backend.loaded.next_log_probabilities([rows[i] for i in batch]), strict=True):
                found[i] = _likeliest(row, backend.tokenizer)
    return [found[i] for i in range(len(rows))]


def _likeliest(log_probabilities: torch.Tensor, tokenizer: Any) -> Distribution:
    """The likeliest tokens of one position, from its log-probabilities, ``[vocabulary]``."""
    values, ids = log_probabilities.exp().topk(min(LIKELIEST, len(log_probabilities)))
    found: dict[str, float] = {}
    for value, token in zip(values.tolist(), ids.tolist(), strict=True):
        text = tokenizer.decode([token])
        if _BROKEN not in text:
            found.setdefault(text, value)
    return found


def _served(backend: APIBackend, positions: Sequence[Position], tokenizer: Any) -> NextTokens:
    if backend.rendered is None:
        return NextTokens(reason="the chat endpoint takes no rendered prompt")
    texts = [one.prompt + tokenizer.decode(list(one.before), skip_special_tokens=False) for one in positions]
    try:
        found = dict(backend.rendered.likeliest_tokens(backend.served_name("base"), texts))
    except NoLogProbabilities as error:
        return NextTokens(reason=str(error))
    return NextTokens(tuple({text: exp(value) for text, value in found[i].items()} for i in range(len(texts))))
