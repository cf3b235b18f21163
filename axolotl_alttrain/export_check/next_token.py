"""Probabilities of the next token, from a model in this process or from a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.eval.backends import Backend
from axolotl_alttrain.generation.openai_client import REFUSED, ask_all

if TYPE_CHECKING:
    import torch

    from axolotl_alttrain.eval.backends.api import APIBackend
    from axolotl_alttrain.eval.backends.hf import HFBackend

LIKELIEST = 20  # tokens per position; as many as vLLM gives by default (--max-logprobs)
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
    from axolotl_alttrain.generation.decoding import decode, left_padded

    tokenizer, model = backend.tokenizer, backend.model
    prompts = backend.chat.encode([position.prompt for position in positions])
    rows = [[*ids, *position.before] for ids, position in zip(prompts, positions, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    found: dict[int, Distribution] = {}
    with backend.adapter(run == "tuned"):
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]

            def keep(logits: torch.Tensor, places: list[int], batch: list[int] = batch) -> torch.Tensor:
                for place, row in zip(places, logits, strict=True):
                    found[batch[place]] = _likeliest(row, tokenizer)
                return logits.argmax(-1, keepdim=True)

            ids, mask = left_padded([rows[i] for i in batch], tokenizer.pad_token_id or 0, model.device)
            decode(model, ids, mask, backend.stop_ids, 1, pick=keep)
    return [found[i] for i in range(len(rows))]


def _likeliest(logits: torch.Tensor, tokenizer: Any) -> Distribution:
    """The likeliest tokens of one position's logits, ``[vocabulary]``."""
    values, ids = logits.float().softmax(-1).topk(min(LIKELIEST, logits.shape[-1]))
    found: dict[str, float] = {}
    for value, token in zip(values.tolist(), ids.tolist(), strict=True):
        text = tokenizer.decode([token])
        if _BROKEN not in text:
            found.setdefault(text, value)
    return found


def _served(backend: APIBackend, positions: Sequence[Position], tokenizer: Any) -> NextTokens:
    from math import exp

    from openai import APIStatusError, OpenAIError

    if backend.chat is None:
        return NextTokens(reason="the chat endpoint takes no rendered prompt")
    texts = [one.prompt + tokenizer.decode(list(one.before), skip_special_tokens=False) for one in positions]
    found: dict[int, Distribution] = {}

    async def ask(client: Any, index: int) -> Any:
        return await backend.exact_completion(
            client, backend.served_name("base"), texts[index], max_tokens=1, temperature=0, logprobs=LIKELIEST
        )

    try:
        for index, answer in ask_all(ask, range(len(texts)), **backend.connection()):
            logprobs = answer.choices[0].logprobs
            top = logprobs.top_logprobs[0] if logprobs and logprobs.top_logprobs else None
            if not top:
                return NextTokens(reason="the server gives no log-probabilities")
            found[index] = {token: exp(value) for token, value in top.items() if _BROKEN not in token}
    except APIStatusError as error:
        if error.status_code not in REFUSED:
            raise AltTrainError(f"{backend.url}: {first_line(error)}; check the server's log") from None
        return NextTokens(reason=f"the server refuses to give log-probabilities ({first_line(error)})")
    except OpenAIError as error:
        raise AltTrainError(f"{backend.url}: {first_line(error)}; check that the server still runs") from None
    return NextTokens(tuple(found[i] for i in range(len(texts))))
