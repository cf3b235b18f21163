"""Stratified selection by category and language within each label; the same seed selects the same rows.

The rows of a label are put in an order in which every prefix is stratified. A smaller dataset is therefore part of a
larger one, and a row that drops out is replaced by the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from axolotl_alttrain.format.example import Label

Strategy = Literal["proportional", "balanced"]
Stratum = tuple[str | None, str | None]


@dataclass(slots=True)
class Entry:
    """What is kept in memory of one candidate.

    Attributes:
        rank: Its place by seed; see :func:`axolotl_alttrain.data.seeded_draw.rank`.
        offset: Where its line begins in the candidate file, in bytes.
        key: Key of its assessment in the store; empty if it needs none.
        label: None until an assessor has judged it.
        stratum: Category and language.
    """

    rank: int
    offset: int
    key: str
    label: Label | None
    stratum: Stratum


def select(entries: Iterable[Entry], label: Label, count: int | None, strategy: Strategy) -> list[Entry]:
    """The first ``count`` entries of a label in stratified order; all if ``count`` is None."""
    return stratified((entry for entry in entries if entry.label == label), strategy)[:count]


def stratified(entries: Iterable[Entry], strategy: Strategy = "proportional") -> list[Entry]:
    """Order entries so that every prefix is stratified.

    Args:
        entries: Candidates of one label.
        strategy: ``proportional`` keeps the share of each stratum; ``balanced`` takes equal numbers while they last.
    """
    strata: dict[Stratum, list[Entry]] = defaultdict(list)
    for entry in entries:
        strata[entry.stratum].append(entry)
    placed = []
    for members in strata.values():
        members.sort(key=lambda entry: (entry.rank, entry.offset))
        for place, entry in enumerate(members):
            position = (place + 0.5) / len(members) if strategy == "proportional" else place
            placed.append((position, entry.rank, entry.offset, entry))
    placed.sort(key=lambda item: item[:3])
    return [entry for *_, entry in placed]
