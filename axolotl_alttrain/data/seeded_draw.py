"""Random choices that depend only on a seed and a text, never on the order of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rank(seed: int, purpose: str, text: str) -> int:
    """An integer from 0 to 2**64 - 1, uniformly distributed and the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{purpose}\0{text}".encode()).digest()[:8])


def draw(choices: Sequence[T], seed: int, purpose: str, text: str) -> T:
    """One of the choices, the same for the same seed, purpose and text."""
    return choices[rank(seed, purpose, text) % len(choices)]
