"""Read the verdict of a harmfulness assessment (HA), the second step of an AltTrain thought.

Only the assessment step is read. Several published evaluations search the whole completion for words such as
"illegal" and so count refusals that are none.

A sentence is split into clauses (``clauses.py``) with the words of its language (``language.py``). A
negation turns a verdict around inside its clause; reasons, conditions, questions and what others say state none. Where
clauses contradict each other, a hedge leaves the verdict open, or the language is unknown, the reading is
``undetermined``: a wrong label is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from axolotl_alttrain.format.verdict.clauses import VERDICT_WORDS, Statement, clauses, statements
from axolotl_alttrain.format.verdict.language import Language, candidates, normalised

Verdict = Literal["harmful", "benign", "undetermined"]

LONGEST_DECLARATION = 440  # characters: "This is harmful: " plus the longest reason of an assessor (400)
MOST_SENTENCES = 2  # training has one

_SENTENCE = regex.compile(r"(?:[^.!?…。！？।؟;；\n]|[.!?](?=\w))+[.!?…。！？।؟]*")
_SENTENCE_END = regex.compile(r"[.!?]+[\"'”’)]*(?=\s|$)|[。！？।؟]")
_QUESTION = regex.compile(r"[?？؟]\W*$")
_PART = regex.compile(r"[:：]")
# Quoted words are the request's, not the assessment's.
_QUOTED = regex.compile(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|「[^」]*」|『[^』]*』|(?<!\w)['‘][^'’]{2,}['’](?!\w)")


@dataclass(frozen=True)
class _Sentence:
    """What a sentence states.

    Attributes:
        said: Its verdict.
        contrasts: It begins with a word such as "however".
        about_request: It names the request.
    """

    said: Statement
    contrasts: bool
    about_request: bool


class _Part(NamedTuple):
    """A sentence, or its part before or after a colon, with the languages that it may be in."""

    text: str
    languages: tuple[Language, ...]


@lru_cache(maxsize=4096)
def read_verdict(assessment: str) -> Verdict:
    """The verdict that an assessment states.

    Args:
        assessment: The HA step, usually one sentence: a verdict and its reason.

    Returns:
        ``harmful``, ``benign``, or ``undetermined`` if the text states neither, both, or none with certainty.
    """
    verdict: Statement | None = None
    for sentence in _sentences(assessment):
        said = sentence.said
        if verdict is None:
            verdict = said
        elif not (verdict.firm and verdict.certain):
            # An appearance or a hedge yields to what is stated. Another subject leaves it open.
            if said.firm and said.certain:
                plain = said.harmful == verdict.harmful or sentence.about_request or sentence.contrasts
                verdict = said if plain else Statement(None)
        elif sentence.contrasts and said.certain and said.harmful != verdict.harmful:
            verdict = Statement(None)
    if verdict is None or not verdict.certain or verdict.harmful is None:
        return "undetermined"
    return "harmful" if verdict.harmful else "benign"


@lru_cache(maxsize=4096)
def declares_verdict(assessment: str) -> bool:
    """Whether a text is an assessment as AltTrain trains it: short, with the verdict declared at the beginning.

    Free reasoning also contains words such as "safe" or "illegal"; :func:`read_verdict` alone would take some of them
    for a verdict on the request.

    Args:
        assessment: The second block of a thought.

    Returns:
        True for one or two sentences, of at most ``LONGEST_DECLARATION`` characters, that begin by declaring the
        request, or answering it, harmful or harmless ("This is harmless: ...").
    """
    text = assessment.strip()
    if len(text) > LONGEST_DECLARATION or len(_SENTENCE_END.findall(text)) > MOST_SENTENCES:
        return False
    if read_verdict(text) == "undetermined":
        return False
    text = normalised(text)
    for language in _parts(text, candidates(text))[0].languages:
        first = next((token for token in language.tokens(text) if token.kind in VERDICT_WORDS), None)
        if first is not None and language.declares(text, first.start, first.end):
            return True
    return False


def _sentences(assessment: str) -> Iterator[_Sentence]:
    """The sentences that state a verdict."""
    text = _QUOTED.sub(" ", normalised(assessment))
    context = candidates(text)
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        if _QUESTION.search(sentence):
            continue
        for part in _parts(sentence, context):
            # What follows a colon gives the reason of a verdict before it.
            if (found := _agreed(part)) is not None:
                yield found
                break


def _parts(sentence: str, context: tuple[Language, ...]) -> list[_Part]:
    """A sentence split at its colons; a part whose language is unknown has that of the whole text."""
    texts = [text.strip() for text in _PART.split(sentence)]
    return [_Part(text, candidates(text, context) or context) for text in texts if text] or [_Part("", ())]


def _agreed(part: _Part) -> _Sentence | None:
    """What a part states in every language that it may be in; open where these differ."""
    found = [_stated(language, part.text) for language in part.languages]
    if not found or found[0] is None:
        return None
    if any(one is None or one.said.harmful != found[0].said.harmful for one in found):
        return None
    return found[0]


def _stated(language: Language, text: str) -> _Sentence | None:
    if language.question_end and language.question_end.search(text):
        return None
    some = clauses(language, text)
    main = [said for clause, said in statements(language, some, text) if clause.role == "main"]
    if not main:
        return None
    said = main[0]
    for later in main[1:]:
        if not (later.firm and later.certain):
            continue
        if not (said.firm and said.certain):
            said = later
        elif later.harmful != said.harmful:
            said = Statement(None)
    if any(clause.role == "condition" for clause in some):
        said = Statement(said.harmful, said.firm, certain=False)
    contrasts = any(clause.link == "contrast" for clause in some) and main[0] == said
    return _Sentence(said, contrasts, bool(language.subject and language.subject.search(text)))
