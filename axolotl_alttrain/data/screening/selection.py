"""Which rows are taken: stratified by label, category and language, the same for the same seed.

Rows of a label are put in one order whose every beginning is stratified, so that a smaller data set is always part of a
larger one, and a row that drops out is replaced by the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from axolotl_alttrain.format.example import Label

Strategy = Literal["proportional", "balanced"]


@dataclass(slots=True)
class Entry:
    """What is kept in memory of one candidate.

    Attributes:
        rank: Its place by seed, see :func:`axolotl_alttrain.data.seeded_draw.rank`.
        offset: Where its line begins in the file of candidates, in bytes.
        key: Of its assessment in the store; empty where the row needs none.
        label: None until an assessor has judged it.
        stratum: Category and language.
    """

    rank: int
    offset: int
    key: str
    label: Label | None
    stratum: tuple[str | None, str | None]


def stratified(entries: Iterable[Entry], strategy: Strategy = "proportional") -> list[Entry]:
    """Order entries so that every beginning holds the strata as the whole does, or evenly.

    Args:
        entries: Candidates of one label.
        strategy: ``proportional``: a stratum keeps its share; ``balanced``: strata get equal numbers while they last.
    """
    strata: dict[tuple[str | None, str | None], list[Entry]] = defaultdict(list)
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
