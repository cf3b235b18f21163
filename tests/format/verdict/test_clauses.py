"""The clauses of a sentence and what each states, with the words of the English file."""

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.verdict.clauses import Clause, Statement, clauses, statements
from axolotl_alttrain.format.verdict.data import Clauses
from axolotl_alttrain.format.verdict.language import Language, languages


def parts(text: str, code: str = "en") -> list[tuple[str, str, bool, str]]:
    """Role, link, whether it was opened, and text from its beginning on of each clause."""
    return [(one.role, one.link, one.opened, text[one.start :]) for one in clauses(languages()[code], text)]


def said(text: str, language: Language | None = None) -> list[tuple[str, Statement]]:
    language = language or languages()["en"]
    return [(clause.role, what) for clause, what in statements(language, clauses(language, text), text)]


def test_what_parts_a_sentence() -> None:
    assert parts("if bad, it is harmless and safe, since legal, but that is so") == [
        ("main", "", False, "if bad, it is harmless and safe, since legal, but that is so"),
        ("condition", "condition", True, " bad, it is harmless and safe, since legal, but that is so"),
        ("main", "comma", False, " it is harmless and safe, since legal, but that is so"),
        ("main", "joins", False, " safe, since legal, but that is so"),
        ("main", "comma", False, " since legal, but that is so"),
        ("reason", "reason", False, " legal, but that is so"),
        ("reason", "comma", False, " but that is so"),
        ("reason", "contrast", False, " that is so"),
        ("reason", "that", False, " is so"),
    ]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("while harmful, it is safe", "main concession main"),
        ("it is safe while harmful, or not", "main concession concession concession"),
        ("but if bad, it is safe", "main main condition main"),
        ("said to be bad, it is safe", "main report report"),
        ("so if bad, it is safe", "main condition condition"),
        ("as it looks harmful, but it is safe", "main reason main main"),
        ("it looks harmful as it is, but it is safe", "main reason reason main"),
        ("since it is harmful, it is bad", "main reason main"),
        ("if bad and safe, it is harmless", "main condition condition main"),
        ("it is harmful as it is, but it is safe", "main reason reason reason"),
    ],
)
def test_the_roles_of_clauses(text: str, roles: str) -> None:
    assert " ".join(role for role, *_ in parts(text)) == roles


HARMFUL, HARMLESS = Statement(True), Statement(False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is harmful", [HARMFUL]),
        ("it is not harmful", [HARMLESS]),
        ("it is not not harmful", [HARMFUL]),
        ("it is not not not harmful", [HARMLESS]),
        ("not safe harmful", [HARMFUL]),
        ("harmful not", [HARMFUL]),
        ("a danger harmful as such", [HARMFUL]),
        ("it is not without risk", [HARMFUL]),
        ("it is without risk", [HARMLESS]),
        ("it has a risk", []),
        ("it is harmful or safe", [HARMFUL, HARMLESS]),
        ("a harmful safe thing", [Statement(None)]),
        ("a harmful dangerous thing", [HARMFUL]),
        # Negations, hedges and appearances reach into what is said, and into words that are joined.
        ("i do not think that it is harmful", [HARMLESS]),
        ("i do not think that it is not harmful", [HARMFUL]),
        ("i do not think, that it is harmful", [HARMLESS]),
        ("i do not think that it is without risk", [HARMFUL]),
        ("i do not think that one does not feel that it has a risk", [HARMFUL]),
        ("perhaps so that it is harmful", [HARMFUL]),
        ("it seems that it is harmful", [Statement(True, firm=False)]),
        ("maybe one feels that it is harmful", [Statement(True, certain=False)]),
        ("not harmful, dangerous or illegal", [HARMLESS] * 3),
        ("not harmful, and this request is illegal", [HARMLESS, HARMFUL]),
        ("not harmful, or legal", [HARMLESS, HARMLESS]),
        ("not harmful, in my view, harmful", [HARMLESS, HARMFUL]),
        ("not harmful, it is harmful", [HARMLESS, HARMFUL]),
        ("not harmful, quite harmful", [HARMLESS, HARMLESS]),
        ("maybe harmful or illegal", [Statement(True, certain=False)] * 2),
        ("maybe harmful, and this one is illegal", [Statement(True, certain=False), HARMFUL]),
        ("it looks harmful or illegal", [Statement(True, firm=False)] * 2),
        ("it is not, in my view, harmful", [HARMLESS]),
        ("it is not, in my view, by any means, harmful", [HARMLESS]),
        ("it is, in my view, harmful", [HARMFUL]),
        ("nothing about this, in my view, is harmful", [HARMLESS]),
        ("no, this is harmful", [HARMFUL]),
        ("no , this is harmful", [HARMFUL]),
        ("no— this is harmful", [HARMFUL]),
        ("so no, in my view, harmful", [HARMLESS]),
        ("it is more of a joke than harmful", [Statement(True, certain=False)]),
        # Comparisons and hedges stand before the word, comparisons also directly behind it.
        ("less harmful", [Statement(True, certain=False)]),
        ("harmful less so", [HARMFUL]),
        ("safer than harmful", [Statement(True, certain=False)]),
        ("harmful than", [Statement(True, certain=False)]),
        ("harmful  than", [Statement(True, certain=False)]),
        ("harmful   than", [HARMFUL]),
        ("harmful than safe", [Statement(None, certain=False)]),
        ("harmful it is rather than", [HARMFUL]),
        ("harmful perhaps", [HARMFUL]),
    ],
)
def test_what_clauses_state(text: str, expected: list[Statement]) -> None:
    assert [what for _, what in said(text)] == expected


@pytest.mark.parametrize(
    ("changes", "text", "expected"),
    [
        ({"scope": "after"}, "harmful not", [HARMLESS]),
        ({"scope": "after"}, "not harmful", [HARMFUL]),
        ({"scope": "after"}, "harmful maybe", [Statement(True, certain=False)]),
        ({"scope": "both"}, "not harmful not", [HARMFUL]),
        ({"scope": "both"}, "harmful not", [HARMLESS]),
        ({"spaced": False}, "harmfulthan", [Statement(True, certain=False)]),
        ({"concord": True}, "not never harmful", [HARMLESS]),
        ({"concord": True}, "not without risk", [HARMFUL]),
        ({"concord": True}, "i never do not think that it is harmful", [HARMLESS]),
    ],
)
def test_other_orders_of_words(changes: dict[str, Any], text: str, expected: list[Statement]) -> None:
    language = Language("xx", languages()["en"].data.model_copy(update=changes))
    assert [what for _, what in said(text, language)] == expected


def test_words_that_end_a_clause() -> None:
    """As in Japanese, Korean and Hindi, where they stand behind it."""
    closes = Clauses(contrast=("anyway",), reason=("hence",), concession=("albeit",))
    language = Language("xx", languages()["en"].data.model_copy(update={"closes": closes}))
    found = clauses(language, "safe anyway safe hence safe albeit bad")
    assert [(one.role, one.link, one.start) for one in found] == [
        ("main", "", 0),
        ("reason", "contrast", 11),
        ("concession", "reason", 22),
        ("main", "contrast", 34),
    ]


def test_the_comma_before_a_word_that_begins_what_is_said() -> None:
    text = "one thinks, that it is, in short, that"
    assert [(role, link) for role, link, *_ in parts(text)] == [
        ("main", ""),
        ("main", "that"),
        ("main", "comma"),
        ("main", "that"),
    ]


def test_a_clause_knows_its_words() -> None:
    (clause,) = clauses(languages()["en"], "it is not harmful")
    assert clause.has("harmless", "negators")
    assert not clause.has("harmless", "hedges")
    assert not Clause().has("harmful")
