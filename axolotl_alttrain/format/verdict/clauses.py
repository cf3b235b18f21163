"""Split a sentence of an assessment into clauses, and read the verdict of a clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from axolotl_alttrain.format.verdict.data import LanguageData
from axolotl_alttrain.format.verdict.language import COMMAS, Language, Token

VERDICT_WORDS = ("harmful", "harmless", "dangers")
_COMMA = regex.compile(rf"\s*{COMMAS}")


@dataclass
class Clause:
    """A part of a sentence.

    Attributes:
        role: ``main``, or what it is instead: ``reason``, ``concession``, ``condition``, ``question``, ``report``.
        tokens: Its known words, in order.
        link: The kind of word before it: ``comma``, ``joins``, ``that``, ``contrast``; empty for the first.
        start: Where it begins in the text.
        opened: Whether a word opened its role at the beginning of the sentence, so that a comma ends it.
    """

    role: str = "main"
    tokens: list[Token] = field(default_factory=list)
    link: str = ""
    start: int = 0
    opened: bool = False

    def has(self, *kinds: str) -> bool:
        """Whether a token has one of these kinds."""
        return any(token.kind in kinds for token in self.tokens)


@dataclass(frozen=True)
class Statement:
    """What a clause says.

    Attributes:
        harmful: The verdict; None if the clause states both.
        firm: False for an appearance.
        certain: False for a hedge or a comparison.
    """

    harmful: bool | None
    firm: bool = True
    certain: bool = True


def clauses(language: Language, text: str) -> list[Clause]:
    """The clauses of a part of a sentence."""
    found = [Clause()]
    for token in language.tokens(text):
        now = found[-1]
        place, _, role = token.kind.partition(".")
        if place == "closes":
            now.role = "main" if role == "contrast" else role
            found.append(Clause(link="contrast" if role in ("contrast", "concession") else role, start=token.end))
        elif place == "opens":
            found.append(_opened(found, role, token, text))
        elif token.kind == "comma":
            keeps = now.role != "main" and not now.opened
            found.append(Clause(role=now.role if keeps else "main", link="comma", start=token.end))
        elif token.kind in ("joins", "that"):
            if token.kind == "that" and now.link == "comma" and not now.tokens and len(found) > 1:
                now = found.pop() and found[-1]  # "сказать, что": the comma belongs to the word
            found.append(Clause(now.role, link=token.kind, start=token.end, opened=now.opened))
        else:
            now.tokens.append(token)
    return found


def _opened(found: list[Clause], role: str, token: Token, text: str) -> Clause:
    now = found[-1]
    decided = any(one.role == "main" and one.has(*VERDICT_WORDS) and not one.has("appearances") for one in found)
    if now.role == "reason" and not now.opened and (role != "contrast" or decided):
        return Clause("reason", link=role, start=token.end)
    if role == "contrast":
        return Clause(link="contrast", start=token.end)
    # A comma ends a subordinate clause that begins a sentence, or follows a contrast directly, but not a report.
    first = not any(map(str.isalpha, text[now.start : token.start])) and role != "report"
    return Clause(role, link=role, start=token.end, opened=first and now.link in ("", "contrast"))


@dataclass
class _Carried:
    """What a clause hands on to the next one."""

    negations: int = 0
    word: str = ""  # kind of its last verdict word
    hedged: bool = False
    weak: bool = False
    open_negator: bool = False  # a negator with no verdict word behind it: "It is not, in my view, harmful"


def statements(language: Language, some: list[Clause], text: str) -> Iterator[tuple[Clause, Statement]]:
    """What each clause with a verdict word says, whatever its role."""
    carried = _Carried()
    for clause in some:
        said, carried = _read(language, clause, carried, text)
        if said is not None:
            yield clause, said


def _read(language: Language, clause: Clause, before: _Carried, text: str) -> tuple[Statement | None, _Carried]:
    data = language.data
    words = [n for n, token in enumerate(clause.tokens) if token.kind in VERDICT_WORDS]
    negators = [n for n, token in enumerate(clause.tokens) if token.kind == "negators"]
    outer = before if clause.link == "that" else _Carried()
    if not words:
        count = _odd(len(negators), data.concord) + outer.negations
        trailing = bool(negators) and not _answers(data, clause, clause.tokens[negators[0]], text)
        if not negators and before.open_negator and clause.link == "comma":
            count, trailing = before.negations, True
        return None, _Carried(
            count, "", clause.has("hedges") or outer.hedged, clause.has("appearances") or outer.weak, trailing
        )
    inherits = clause.link in ("comma", "joins") and _starts_with_word(clause, words[0], text)
    verdicts: set[bool] = set()
    negations, certain = 0, True
    for previous, word, following in zip([-1, *words], words, [*words[1:], len(clause.tokens)], strict=False):
        negations = _negations(language, clause, previous, word, following)
        kind = clause.tokens[word].kind
        if previous == -1:
            negations += outer.negations
            if not negations and clause.link == "comma" and before.open_negator and not before.word:
                negations = before.negations
            if inherits and not negations and kind == before.word:
                negations = before.negations
        if kind == "dangers" and not negations:
            continue
        verdicts.add((kind != "harmless") != (negations % 2 == 1))
        certain &= not _relative(clause, word)
        certain &= not _hedged(language, clause, word)
    certain &= not (outer.hedged or (inherits and before.hedged))
    weak = clause.has("appearances") or outer.weak or (inherits and before.weak)
    carried = _Carried(negations, clause.tokens[words[-1]].kind, not certain, weak)
    if not verdicts:
        return None, carried
    return Statement(verdicts.pop() if len(verdicts) == 1 else None, not weak, certain), carried


def _negations(language: Language, clause: Clause, previous: int, word: int, following: int) -> int:
    """How often the verdict word at this place is turned around."""
    scope = language.data.scope
    near = range(previous + 1, word) if scope != "after" else range(0)
    far = range(word + 1, following) if scope != "before" else range(0)
    kinds = [clause.tokens[n].kind for n in (*near, *far)]
    negators, privatives = kinds.count("negators"), kinds.count("privatives")
    return _odd(negators, language.data.concord) + privatives


def _answers(data: LanguageData, clause: Clause, negator: Token, text: str) -> bool:
    """Whether a negator answers by itself, before a comma: "No, this is harmful"."""
    alone = not text[clause.start : negator.start].strip() and _COMMA.match(text, negator.end) is not None
    return alone and text[negator.start : negator.end] in data.answers


def _odd(negators: int, concord: bool) -> int:
    return min(negators, 1) if concord else negators


def _hedged(language: Language, clause: Clause, word: int) -> bool:
    places = [n for n, token in enumerate(clause.tokens) if token.kind == "hedges"]
    return any(n < word or language.data.scope != "before" for n in places)


def _relative(clause: Clause, word: int) -> bool:
    token = clause.tokens[word]
    after = [other for other in clause.tokens if other.kind == "comparisons_after"]
    return any(other.kind == "comparisons_before" for other in clause.tokens[:word]) or any(
        0 <= other.start - token.end <= 2 for other in after
    )


def _starts_with_word(clause: Clause, word: int, text: str) -> bool:
    """Whether at most one word stands between the beginning of the clause and its first verdict word."""
    return len(text[clause.start : clause.tokens[word].start].split()) <= 1
