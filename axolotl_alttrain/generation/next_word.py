"""What may come next at a place in a completion: the log-probabilities of given tokens, from any backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf

import numpy as np

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.verdict_words import Opening

LIKELIEST = 20  # tokens that a server lists; as many as vLLM gives by default (--max-logprobs)


class NoLogProbabilities(AltTrainError):
    """The backend gives no log-probabilities of the next token."""


@dataclass(frozen=True)
class NextWord:
    """A place in a completion, and tokens of which one may come next.

    Attributes:
        text: The rendered prompt, up to the completion.
        before: Token ids of the completion up to the place.
        words: Token ids.
    """

    text: str
    before: tuple[int, ...]
    words: tuple[int, ...]


@dataclass(frozen=True)
class WordShares:
    """Log-probabilities of the next token.

    Attributes:
        known: By token id, of the words that the backend lists.
        bound: The most that any other word can have; None if all are listed.
    """

    known: Mapping[int, float]
    bound: float | None = None


def listed_shares(listed: Mapping[int, float], words: Sequence[int]) -> WordShares:
    """The shares of words where a server lists the likeliest tokens only: any other has at most the least of these."""
    known = {word: listed[word] for word in words if word in listed}
    return WordShares(known, None if len(known) == len(words) else min(listed.values()))


@dataclass(frozen=True)
class VerdictScore:
    """The model's leaning at the verdict word of one completion.

    Attributes:
        log_odds: Of a token that states "harmful" against one that states "harmless".
        mass: Probability of all these tokens together, between 0 and 1.
        forced: The model took another wording, and was read after its understanding and the training rows' opening.
        bounded: Some word is not among those that the backend lists, and counts with the most that it can have.
    """

    log_odds: float
    mass: float
    forced: bool = False
    bounded: bool = False


def score_of(shares: WordShares, opening: Opening, forced: bool) -> VerdictScore:
    """The score from the log-probabilities of an opening's words."""
    harmful, benign = (_together(shares, side) for side in (opening.harmful, opening.benign))
    bounded = any(word not in shares.known for word in opening.words)
    return VerdictScore(harmful - benign, min(1.0, exp(np.logaddexp(harmful, benign))), forced, bounded)


def _together(shares: WordShares, words: Sequence[int]) -> float:
    """Log-probability of any of the words."""
    rest = -inf if shares.bound is None else shares.bound
    return float(np.logaddexp.reduce([shares.known.get(word, rest) for word in words]))
