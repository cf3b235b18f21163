"""Texts as sets: normalised text, its character n-grams with their exact Jaccard similarity, and its words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
import regex
from datasketch import MinHash
from numpy.typing import NDArray

Shingles = NDArray[np.uint64]

# Three code points of 21 bits are one 64-bit integer, so the sets are exact, not hashed. Three signs are about two
# words of Chinese or Japanese and half a word elsewhere; both notice a changed word in a prompt of one line.
NGRAM = 3
_BITS = np.uint64(21)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_NOT_A_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
# Scripts written without spaces between words: each sign counts as a word.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|"
    r"(?:(?![\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{M}\p{N}])+"
)


def normalized(text: str) -> str:
    """The text in compatibility form and lower case, everything but letters and digits as single spaces.

    A text without any letter or digit stays as it is: ``???`` and ``!!!`` are not the same.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_A_WORD.sub(" ", folded).strip() or text.strip()


def words(text: str) -> list[str]:
    """The words of a normalised text; each sign of a script without spaces is one."""
    return _WORD.findall(text)


def shingles(text: str) -> Shingles:
    """The sorted set of a normalised text's character trigrams, the spaces around it included.

    Returns:
        Distinct trigrams as packed code points, ``[n]``, n at least 1.
    """
    padded = f" {text} " if text else " " * NGRAM
    points = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return np.unique((points[:-2] << (_BITS + _BITS)) | (points[1:-1] << _BITS) | points[2:])


def jaccard(one: Shingles, other: Shingles) -> float:
    """Size of the intersection over size of the union of two sets from :func:`shingles`."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return shared / (one.size + other.size - shared)


def minhasher(num_perm: int) -> Callable[[Shingles], MinHash]:
    """A function from shingles to their MinHash of ``num_perm`` values, the same in every process."""
    first = MinHash(num_perm=num_perm, seed=1)

    def minhash(grams: Shingles) -> MinHash:
        hashed = MinHash(hashfunc=int, seed=1, permutations=first.permutations, num_perm=num_perm, scheme=first.scheme)
        hashed.update_batch(((grams * _SPREAD) >> np.uint64(32)).tolist())
        return hashed

    return minhash
