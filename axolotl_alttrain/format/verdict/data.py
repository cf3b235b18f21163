"""What a file of ``languages/`` holds: the words of one language that state a verdict, and those that govern them.

An entry is a word or phrase. ``*`` stands for any letters of the same word (``schädlich*``), and ``_`` for up to four
words, or eight characters where a script has no spaces. A new language is a new file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Clauses(BaseModel):
    """Words that begin or end a clause, by what the clause is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contrast: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    concession: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()
    question: tuple[str, ...] = ()
    report: tuple[str, ...] = ()


class Declaration(BaseModel):
    """How the sentence begins that declares a verdict on the request, as in training data.

    Attributes:
        subjects: What stands for the request, or for answering it, without a noun ("this", "answering").
        determiners: What may stand before a noun of ``requests``; where empty, none is needed.
        requests: Nouns for the request or the answer.
        copulas: What stands between subject and verdict; where empty, nothing is needed.
        degrees: What may stand between copula and verdict ("a", "not", "very").
        never: Words that no declaration has before its verdict ("I", "if", "must").
        reasons: Words that may follow the verdict without punctuation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subjects: tuple[str, ...] = ()
    determiners: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    copulas: tuple[str, ...] = ()
    degrees: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class LanguageData(BaseModel):
    """One file of ``languages/``.

    Attributes:
        script: The Unicode script of its letters.
        spaced: Whether words are separated by spaces.
        agglutinative: Whether words carry endings that are words elsewhere; ``*`` at the edge of an entry then stands
            for nothing, so that the endings are found as well.
        prefixes: What is written in one word with the following one (Arabic "and", "the").
        function_words: Frequent words that tell it from the other languages of its script.
        foreign: Words of languages without a file that share its verdict words; a text with one of them is not in it.
        scope: Where the negator of a verdict word stands.
        concord: Whether several negators in one clause are one negation (Spanish "no ... nada").
        harmful, harmless: Verdict words.
        dangers: Nouns that state a verdict only under a negation ("without danger").
        negators: Words that turn the verdict word in their scope around.
        answers: Those of them that are a whole answer before a comma ("No, this is harmful").
        privatives: Words that always do so by themselves, beside a negator as well ("not without danger").
        no_negation: Phrases with a negator or a verdict word that are neither ("no doubt that").
        that: Words that begin what is said or thought; negators before them reach into it.
        joins: Words that join clauses or verdict words.
        hedges: Words that leave the verdict open.
        appearances: Words for how something looks or is presented.
        comparisons: Words that make a verdict word relative: before it in the clause, or directly after it.
        opens, closes: Words that begin or end a clause.
        question_ends: Ends of questions without a question mark.
        declaration: How a declaration begins.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    script: str
    spaced: bool = True
    agglutinative: bool = False
    prefixes: tuple[str, ...] = ()
    function_words: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    scope: Literal["before", "after", "both"] = "before"
    concord: bool = False
    harmful: tuple[str, ...]
    harmless: tuple[str, ...]
    dangers: tuple[str, ...] = ()
    negators: tuple[str, ...]
    answers: tuple[str, ...] = ()
    privatives: tuple[str, ...] = ()
    no_negation: tuple[str, ...] = ()
    that: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    hedges: tuple[str, ...] = ()
    appearances: tuple[str, ...] = ()
    comparisons_before: tuple[str, ...] = ()
    comparisons_after: tuple[str, ...] = ()
    opens: Clauses = Clauses()
    closes: Clauses = Clauses()
    question_ends: tuple[str, ...] = ()
    declaration: Declaration = Declaration()
