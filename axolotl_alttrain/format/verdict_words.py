"""The wording in which training rows state their verdicts: the place where it parts, and the words on each side.

An assessment such as "This is harmful: ..." commits itself at one token: after "This is" the rows labelled harmful go
on with one token and those labelled harmless with another. :func:`learn_wording` finds such places from the rows'
labels alone, so any wording and language works. :meth:`Wording.place` finds the place in a completion.
"""

from __future__ import annotations

import os.path
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from axolotl_alttrain.format.example import BLANK_LINE, AltTrainExample, Label, ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.template import ChatFormat

VERSION = 1  # raise it whenever a completion may get another place or other words
PURE = 0.95  # share of one label among the rows that go on with a token, for the token to be a verdict word
SUPPORT = 2  # rows on each side, at least; fewer may be chance
COMMON = 0.5  # share of rows that a parting has to explain, or else the rows have no common wording
SEAM = 4  # tokens that a blank line may take

Ids = tuple[int, ...]
_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class Opening:
    """How assessments begin, up to the token that states the verdict.

    Attributes:
        before: Token ids of the beginning; empty if the first token states the verdict.
        harmful, benign: The tokens that follow in rows of each label.
        rows: Training rows that begin so.
        example: The assessment of one of them.
    """

    before: Ids
    harmful: Ids
    benign: Ids
    rows: int
    example: str

    @property
    def words(self) -> Ids:
        """The tokens of both sides."""
        return self.harmful + self.benign


@dataclass(frozen=True)
class Place:
    """The place of the verdict word in one completion.

    Attributes:
        before: Token ids of the completion up to the place, as the model wrote them or, if ``forced``, its
            understanding and then the commonest opening of the training rows.
        opening: Whose words follow.
        forced: The model began its assessment in other words, or ended its thought without one.
    """

    before: Ids
    opening: Opening
    forced: bool


@dataclass(frozen=True)
class Wording:
    """The openings of an adapter's training rows, the commonest first.

    Attributes:
        openings: At least one.
        understanding: Whether an understanding comes before the assessment.
    """

    openings: tuple[Opening, ...]
    understanding: bool = True

    def place(self, completion: str, chat: ChatFormat) -> Place | None:
        """Where a completion states its verdict; None if its thought does not get as far as an assessment.

        Args:
            completion: As generated, with the markers of its thought.
            chat: The model's chat format.
        """
        found = self._assessment(completion, chat.thought)
        if found is None:
            return None
        before, assessment = found
        if own := _cut(chat, [(before, assessment)])[0] if assessment else None:
            start, ids = own
            fitting = [one for one in self.openings if ids[: len(one.before)] == one.before]
            if fitting:
                opening = max(fitting, key=lambda one: len(one.before))
                return Place(start + opening.before, opening, False)
        forced = _cut(chat, [(before, self.openings[0].example)])[0]
        return Place(forced[0] + self.openings[0].before, self.openings[0], True) if forced else None

    def described(self, chat: ChatFormat) -> list[str]:
        """The openings as people read them, such as ``This is: harmful / harmless``."""
        decode = chat.tokenizer.decode
        return [
            f"{decode(one.before) or '(beginning)'}: "
            + " / ".join(", ".join(decode([word]).strip() for word in side) for side in (one.harmful, one.benign))
            for one in self.openings
        ]

    def _assessment(self, completion: str, fmt: ThoughtFormat) -> tuple[str, str] | None:
        """The completion up to its assessment, and the assessment."""
        parsed = parse_completion(completion, fmt)
        if not parsed.thought:
            return None
        block = parsed.problem_understanding
        start = completion.index(block)
        if not self.understanding:
            return completion[:start], block
        end = start + len(block)
        blank = _BLANK_LINES.match(completion, end)
        if parsed.harmfulness_assessment and blank:
            return completion[: blank.end()], parsed.harmfulness_assessment
        return None if parsed.truncated else (completion[:end] + BLANK_LINE, "")


def learn_wording(examples: Iterable[AltTrainExample], chat: ChatFormat) -> Wording | None:
    """Learn how training rows state their verdicts.

    Args:
        examples: Training rows; those without an assessment are left out.
        chat: The model's chat format.

    Returns:
        The wording; None if the rows have no common one, so that no token states the verdict.
    """
    rows = [one for one in examples if one.harmfulness_assessment]
    parts = [(chat.thought.open + _understanding(one), one.harmfulness_assessment) for one in rows]
    known = [_Row(ids[1], one) for ids, one in zip(_cut(chat, parts), rows, strict=True) if ids]
    openings = sorted(_openings(known), key=lambda one: -one.rows)
    if not rows or sum(one.rows for one in openings) < COMMON * len(rows):
        return None
    return Wording(tuple(openings), sum(map(bool, map(_understanding, rows))) * 2 > len(rows))


class _Row(NamedTuple):
    """The token ids of a row's assessment, and the row."""

    ids: Ids
    example: AltTrainExample


def _understanding(example: AltTrainExample) -> str:
    """The text of the thought before the assessment."""
    return example.problem_understanding and example.problem_understanding + BLANK_LINE


def _cut(chat: ChatFormat, texts: Sequence[tuple[str, str]]) -> list[tuple[Ids, Ids] | None]:
    """Token ids of the two parts of texts, encoded as a whole; None where a token spans the seam.

    Tokenizers encode blank lines differently at the end of a text, so the seam is looked for in the ids of the whole.
    """
    firsts = chat.encode([before for before, _ in texts])
    wholes = chat.encode([before + after for before, after in texts])
    found: list[tuple[Ids, Ids] | None] = []
    for first, whole, (_, after) in zip(firsts, wholes, texts, strict=True):
        shared = len(os.path.commonprefix([first, whole]))
        tails = ((place, chat.tokenizer.decode(whole[place:])) for place in range(shared, len(first) + SEAM))
        seam = next((place for place, tail in tails if tail.lstrip(" ") == after), None)
        found.append(None if seam is None else (tuple(whole[:seam]), tuple(whole[seam:])))
    return found


def _openings(rows: Sequence[_Row]) -> Iterator[Opening]:
    """The places where the two labels part, found from the first token on."""
    waiting: list[tuple[Ids, Sequence[_Row]]] = [((), rows)]
    while waiting:
        before, some = waiting.pop()
        groups: dict[int, list[_Row]] = {}
        for row in some:
            if len(row.ids) > len(before):
                groups.setdefault(row.ids[len(before)], []).append(row)
        sides: dict[Label, list[int]] = {"harmful": [], "benign": []}
        parted = 0
        for token, members in groups.items():
            label, count = Counter(row.example.label for row in members).most_common(1)[0]
            if count < PURE * len(members):
                waiting.append(((*before, token), members))
            elif count >= SUPPORT:
                sides[label].append(token)
                parted += len(members)
        if all(sides.values()) and parted >= COMMON * len(some):
            example = some[0].example.harmfulness_assessment
            yield Opening(before, tuple(sides["harmful"]), tuple(sides["benign"]), parted, example)
