"""How a guard writes its verdict: after which label, in which words, and by which tokens they are told apart."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["safe", "unsafe"]
SIDES: tuple[Side, Side] = ("safe", "unsafe")
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """Where the verdict stands in what a guard writes, and its words.

    Attributes:
        label: What stands before it on its line; empty where the line begins with it.
        words: The words of each side, matched in any case.
    """

    label: str
    words: Mapping[Side, tuple[str, ...]]

    def find(self, text: str) -> tuple[Side, int, int] | None:
        """The first verdict in a text: its side, and where its word begins and ends."""
        label = r"[^\S\n]*".join(map(re.escape, self.label.split()))
        # Without a label only the beginning of a line is a verdict: "this is not safe" says nothing of the kind.
        before = rf"(?<!\w){label}" if label else r"(?:^|(?<=\n))"
        words = {word.casefold(): side for side in SIDES for word in self.words[side]}
        either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        found = re.search(rf"{before}[^\w\n]*({either})(?!\w)", text, re.IGNORECASE)
        return found and (words[found[1].casefold()], found.start(1), found.end(1))


def learn_form(safe: Sequence[str], unsafe: Sequence[str]) -> Form | None:
    """Learn the form from what a guard wrote about exchanges whose verdict is clear.

    The first line on which all safe ones go on with one word and all unsafe ones with another, after a label that they
    share: WildGuard's line about the request is "yes" for some safe ones, the one about the response for none.
    """
    rows = [[line.strip() for line in text.splitlines() if line.strip()] for text in (*safe, *unsafe)]
    for number, lines in enumerate(zip(*rows, strict=False)):
        shared = os.path.commonprefix([line.casefold() for line in lines])
        shared = re.sub(r"\w+\Z", "", shared)
        found = [re.match(r"[^\w\n]*(\w+)", line[len(shared) :]) for line in lines]
        words = [one[1].casefold() if one else "" for one in found]
        a, b = set(words[: len(safe)]), set(words[len(safe) :])
        label = lines[0][: len(shared)].rstrip() if re.search(r"\w", shared) else ""
        if len(a) == len(b) == 1 and a != b and "" not in a | b and (label or number == 0):
            return Form(label, {"safe": (a.pop(),), "unsafe": (b.pop(),)})
    return None


def given_form(safe: Sequence[str], unsafe: Sequence[str]) -> Form:
    """The form of verdicts that the user spells out; what all of them begin with is the label."""
    shared = os.path.commonprefix([text.strip().casefold() for text in (*safe, *unsafe)])
    shared = re.sub(r"\w+\Z", "", shared)
    words = {
        side: tuple(text.strip()[len(shared) :].casefold() for text in texts)
        for side, texts in zip(SIDES, (safe, unsafe), strict=True)
    }
    return Form(safe[0].strip()[: len(shared)].strip(), words)


def spellings(word: str) -> list[str]:
    """A word in the cases in which guards write it, with and without a space before it."""
    cases = dict.fromkeys((word, word.lower(), word.capitalize(), word.upper()))
    return [space + one for one in cases for space in ("", " ")]


def told_apart(
    certain: Mapping[Side, Iterable[Tokens]], likely: Mapping[Side, Iterable[Tokens]]
) -> dict[Tokens, Side] | None:
    """The shortest beginnings of spellings that say which side is meant.

    Args:
        certain: Spellings that the guard wrote; they may begin alike and are then followed to where they differ.
        likely: Others; those that would need more than their first token are left out.

    Returns:
        Beginning to side; None where a side has none, because each of its spellings begins one of the other's.
    """
    begun: dict[Tokens, Side] = {}
    for side, other in (SIDES, SIDES[::-1]):
        theirs = [tuple(one) for one in certain[other]]
        for one in map(tuple, certain[side]):
            beginnings = (one[:n] for n in range(1, len(one) + 1))
            short = next((b for b in beginnings if all(their[: len(b)] != b for their in theirs)), None)
            if short:
                begun[short] = side
    taken = {short[:1] for short in begun}
    firsts = {side: {tuple(one)[:1] for one in likely[side] if one} - taken for side in SIDES}
    for side, other in (SIDES, SIDES[::-1]):
        begun |= dict.fromkeys(firsts[side] - firsts[other], side)
    return begun if set(begun.values()) == set(SIDES) else None
