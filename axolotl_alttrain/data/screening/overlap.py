"""Queries that resemble evaluation prompts and must not be trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from datasketch import MinHashLSH

from axolotl_alttrain.data.screening.shingles import Shingles, jaccard, minhasher, normalized, shingles, words

# Eight words: the smallest n in GPT-3's contamination study (8 to 13 by dataset; arXiv 2005.14165, appendix C) and the
# n of Tülu 3 (arXiv 2411.15124). Harmful prompts are one line long; 13-grams would miss most of them.
NGRAM = 8
SHORTEST = 4  # words; a shorter prompt occurs in too many texts, so it only overlaps with itself
NEAR = 0.6
_BANDS, _BAND = 32, 4  # misses 1 % of the pairs whose similarity is exactly 0.6


@dataclass(frozen=True)
class Overlap:
    """A query that resembles an evaluation prompt.

    Attributes:
        set, id: The set of the prompt, and its ID there.
        kind: ``ngram`` if they share consecutive words, ``minhash`` if the whole texts are similar.
        similarity: From 0 to 1. For ``ngram``, the share of the prompt's n-grams that the query contains; for
            ``minhash``, the exact Jaccard similarity of their character trigrams.
        prompt, query: The two texts.
    """

    set: str
    id: str
    kind: Literal["ngram", "minhash"]
    similarity: float
    prompt: str
    query: str


class EvaluationOverlap:
    """Finds the evaluation prompt that a query overlaps with.

    A query overlaps with a prompt

    - if it shares ``ngram`` consecutive words with it; if the prompt is shorter, if the query contains all of it; if it
      has fewer than four words, if the query is the same; or
    - if the Jaccard similarity of their character trigrams is at least ``near``.

    The check is strict on purpose: losing a row costs little, an overlap invalidates the evaluation.

    Args:
        prompts: Set, ID and text of every evaluation prompt.
        ngram: Number of consecutive words.
        near: Lowest Jaccard similarity.
    """

    def __init__(self, prompts: Iterable[tuple[str, str, str]], ngram: int = NGRAM, near: float = NEAR) -> None:
        self.near = near
        self._ngram = ngram
        self._prompts: list[tuple[str, str, str]] = []
        self._shingles: list[Shingles] = []
        self._grams: list[frozenset[tuple[str, ...]]] = []
        self._holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._same: dict[str, int] = {}
        self._minhash = minhasher(_BANDS * _BAND)
        self._index = MinHashLSH(num_perm=_BANDS * _BAND, params=(_BANDS, _BAND))
        for prompt in prompts:
            self._add(prompt)
        # The n-gram lengths that occur; a query is split into these only.
        self._lengths = sorted({len(gram) for gram in self._holders})

    def __len__(self) -> int:
        """Number of evaluation prompts."""
        return len(self._prompts)

    def find(self, text: str) -> Overlap | None:
        """The prompt that a query overlaps with most, or None; shared words take precedence over similarity."""
        plain = normalized(text)
        if not plain:
            return None
        same = self._same.get(plain)
        if same is not None:
            return self._overlap(same, "ngram", 1.0, text)
        shared: dict[int, int] = defaultdict(int)
        for gram in self._query_grams(plain):
            for number in self._holders.get(gram, ()):
                shared[number] += 1
        if shared:
            share, number = max((count / len(self._grams[n]), -n) for n, count in shared.items())
            return self._overlap(-number, "ngram", share, text)
        grams = shingles(plain)
        near = [(jaccard(grams, self._shingles[n]), -n) for n in self._index.query(self._minhash(grams))]
        similarity, number = max(near, default=(0.0, 0))
        return self._overlap(-number, "minhash", similarity, text) if similarity >= self.near else None

    def _add(self, prompt: tuple[str, str, str]) -> None:
        plain = normalized(prompt[2])
        if not plain or plain in self._same:
            return
        number = len(self._prompts)
        self._prompts.append(prompt)
        self._same[plain] = number
        self._shingles.append(shingles(plain))
        self._index.insert(number, self._minhash(self._shingles[-1]))
        tokens = words(plain)
        grams = _ngrams(tokens, min(self._ngram, len(tokens))) if len(tokens) >= SHORTEST else frozenset()
        self._grams.append(grams)
        for gram in grams:
            self._holders[gram].append(number)

    def _query_grams(self, plain: str) -> Iterable[tuple[str, ...]]:
        tokens = words(plain)
        for length in self._lengths:
            yield from _ngrams(tokens, length)

    def _overlap(self, number: int, kind: Literal["ngram", "minhash"], similarity: float, query: str) -> Overlap:
        set_, id_, prompt = self._prompts[number]
        return Overlap(set_, id_, kind, round(similarity, 4), prompt, query)


def _ngrams(tokens: list[str], n: int) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
