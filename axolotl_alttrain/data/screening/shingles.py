"""Normalised text, its words, and its character trigrams with their exact Jaccard similarity."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
import regex
from datasketch import MinHash
from numpy.typing import NDArray

Shingles = NDArray[np.uint64]

# Three code points of 21 bits fit into a 64-bit integer, so the sets are exact, not hashed. Three characters are about
# two words of Chinese or Japanese and half a word elsewhere; either way a changed word in a one-line prompt shows.
NGRAM = 3
_BITS = np.uint64(21)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_NOT_A_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
# In scripts without spaces between words, each character counts as a word.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|"
    r"(?:(?![\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{M}\p{N}])+"
)


def normalized(text: str) -> str:
    """The text in compatibility form (NFKC) and lower case; everything but letters and digits becomes single spaces.

    A text without letters and digits is unchanged: ``???`` and ``!!!`` are not the same.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_A_WORD.sub(" ", folded).strip() or text.strip()


def words(text: str) -> list[str]:
    """The words of a normalised text; each character of a script without spaces is one."""
    return _WORD.findall(text)


def shingles(text: str) -> Shingles:
    """The sorted set of the character trigrams of a normalised text, with a space on either side.

    Returns:
        Distinct trigrams as packed code points, shape ``[n]`` with n at least 1.
    """
    padded = f" {text} " if text else " " * NGRAM
    points = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return np.unique((points[:-2] << (_BITS + _BITS)) | (points[1:-1] << _BITS) | points[2:])


def jaccard(one: Shingles, other: Shingles) -> float:
    """Jaccard similarity of two sets from :func:`shingles`: intersection over union."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return shared / (one.size + other.size - shared)


def minhasher(num_perm: int) -> Callable[[Shingles], MinHash]:
    """A function that maps shingles to a MinHash of ``num_perm`` values, the same in every process."""
    first = MinHash(num_perm=num_perm, seed=1)

    def minhash(grams: Shingles) -> MinHash:
        hashed = MinHash(hashfunc=int, seed=1, permutations=first.permutations, num_perm=num_perm, scheme=first.scheme)
        hashed.update_batch(((grams * _SPREAD) >> np.uint64(32)).tolist())
        return hashed

    return minhash
