"""One language file, on a small one of its own, and which languages a text may be in."""

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.verdict import language as module
from axolotl_alttrain.format.verdict.data import Clauses, Declaration, LanguageData
from axolotl_alttrain.format.verdict.language import Language, candidates, languages, normalised

DATA: dict[str, Any] = {
    "script": "Latin",
    "function_words": ("this", "is"),
    "foreign": ("dit",),
    "harmful": ("bad", "harm*"),
    "harmless": ("fine", "no harm"),
    "negators": ("not", "no", "*n't"),
    "that": ("that",),
    "hedges": ("may _ be",),
    "opens": Clauses(reason=("because",)),
    "closes": Clauses(contrast=("anyway",)),
    "question_ends": ("right",),
    "declaration": Declaration(
        subjects=("this",),
        determiners=("the",),
        requests=("request",),
        copulas=("is",),
        degrees=("a", "very"),
        never=("i",),
        reasons=("since",),
    ),
}


def made(**changes: Any) -> Language:
    return Language("xx", LanguageData(**DATA | changes))


def words(language: Language, text: str) -> list[tuple[str, str]]:
    return [(token.kind, text[token.start : token.end]) for token in language.tokens(text)]


def test_the_known_words_of_a_text() -> None:
    text = "this isn't harmful, because no harm may well ever be; that is bad-looking and not badly bad anyway – fine"
    assert words(made(), text) == [
        ("negators", "isn't"),
        ("harmful", "harmful"),
        ("comma", ","),
        ("opens.reason", "because"),
        ("harmless", "no harm"),
        ("hedges", "may well ever be"),
        ("that", "that"),
        ("negators", "not"),
        ("harmful", "bad"),
        ("closes.contrast", "anyway"),
        ("comma", "–"),
        ("harmless", "fine"),
    ]
    assert words(made(), "may one two three four be; may one two three four five be") == [
        ("hedges", "may one two three four be")
    ]
    assert words(made(), "isn’t harm- bad-") == [("negators", "isn’t"), ("harmful", "harm"), ("harmful", "bad")]


def test_white_space_and_elisions() -> None:
    assert words(made(that=("qu'",)), "no\n harm qu’il bad") == [
        ("harmless", "no\n harm"),
        ("that", "qu’"),
        ("harmful", "bad"),
    ]


def test_words_with_a_prefix() -> None:
    assert words(made(prefixes=("Un", "al")), "unbad albad xbad") == [("harmful", "unbad"), ("harmful", "albad")]


def test_endings_and_scripts_without_spaces() -> None:
    endings = made(agglutinative=True, harmful=("bad*",), negators=("*maz",), harmless=("ok",))
    assert words(endings, "badmaz okmaz okx xok") == [("harmful", "bad"), ("negators", "maz"), ("negators", "maz")]
    unspaced = made(spaced=False, harmful=("坏",), harmless=("好",), negators=("不_是",))
    assert words(unspaced, "这不太可能就是坏的，好") == [
        ("negators", "不太可能就是"),
        ("harmful", "坏"),
        ("comma", "，"),
        ("harmless", "好"),
    ]
    assert words(unspaced, "不一二三四五六七八九是") == []


def test_how_much_speaks_for_a_language() -> None:
    assert made().evidence("this is bad and no harm") == 4
    assert made().evidence("dit is bad") == 0
    assert made(harmful=("bad", "bad bad")).evidence("bad bad") == 1
    assert made(function_words=(), foreign=()).evidence("dit is bad, fine") == 2


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("this is bad: x", True),
        ("this is bad", True),
        ("this is bad; x", True),
        ("this is bad since x", True),
        ("this is bad thing", False),
        ("this is a very very bad!", True),
        ("this is a very very very bad!", False),
        ("this is so bad.", False),
        ("this one two three four five six seven eight is bad.", True),
        ("this one two three four five six seven eight nine is bad.", False),
        ("the big request is bad.", True),
        ("request is bad.", False),
        ("no request is bad.", False),
        ("this i say is bad.", False),
        ("this bad.", False),
        ("bad: x", True),
        (" bad：x", True),
        ("bad", False),
        ("bad x", False),
    ],
)
def test_declarations(text: str, declared: bool) -> None:
    start = text.index("bad")
    assert made().declares(text, start, start + 3) is declared


def declaring(**changes: Any) -> dict[str, Any]:
    return {"declaration": DATA["declaration"].model_copy(update=changes)}


@pytest.mark.parametrize(
    ("changes", "text", "declared"),
    [
        ({"declaration": Declaration()}, "this is bad.", False),
        (declaring(subjects=()), "the request is bad.", True),
        (declaring(subjects=()), "this is bad.", False),
        (declaring(determiners=()), "request is bad.", True),
        (declaring(determiners=()), "big request is bad.", False),
        (declaring(requests=()), "this is bad.", True),
        (declaring(never=()), "this i say is bad.", True),
        (declaring(degrees=()), "this is bad.", True),
        (declaring(degrees=()), "this is a bad.", False),
        (declaring(reasons=()), "this is bad since x", False),
        (declaring(reasons=()), "this is bad ", True),
        (declaring(copulas=()), "this seems bad thing", True),
        (declaring(copulas=()), "so this seems bad", False),
        (declaring(copulas=()), "this, he says, bad", False),
        ({"scope": "after"}, "this is bad thing", True),
        (declaring(never=()) | {"spaced": False}, "this is badly", True),
        (declaring(never=()) | {"spaced": False}, "this一二三四五六七八九十一二 is badly", True),
        (declaring(never=()) | {"spaced": False}, "this一二三四五六七八九十一二三 is badly", False),
    ],
)
def test_declarations_of_other_languages(changes: dict[str, Any], text: str, declared: bool) -> None:
    start = text.index("bad")
    assert made(**changes).declares(text, start, start + 3) is declared


def test_patterns_that_a_file_may_lack() -> None:
    language, bare = made(), made(question_ends=(), declaration=Declaration())
    assert language.question_end is not None
    assert [bool(language.question_end.search(text)) for text in ("is it, right ?", "right or not", "bright")] == [
        True,
        False,
        False,
    ]
    assert language.subject is not None
    assert [bool(language.subject.search(text)) for text in ("this", "a request", "requests")] == [True, True, False]
    assert (bare.question_end, bare.subject) == (None, None)


def test_texts_are_compared_in_one_form() -> None:
    assert normalised("E\u0301 \u00c9 \u0401\u0436 \u00df") == "é é еж ss"
    assert (
        normalised("\u0636\u0627\u0631\u064b\u0651\u0627 \u0634\u0640\u0631") == "\u0636\u0627\u0631\u0627 \u0634\u0631"
    )
    assert normalised("\u0958 \u0915\u093c") == "\u0915 \u0915"


@pytest.mark.parametrize(
    ("text", "context", "codes"),
    [
        ("This is harmful.", "", "en"),
        ("Это вредно.", "", "ru"),
        ("これは有害な依頼です。", "", "ja"),
        ("这个请求是有害的。", "", "zh"),
        ("이 요청은 위험하지 않습니다.", "", "ko"),
        # Latin, and no word of any file; nearly equal evidence; more for another language than for the context's.
        ("Xyzzy.", "", ""),
        ("Xyzzy.", "de", ""),
        ("Legal.", "es", "es"),
        ("This is not harmful to the user.", "es", "en"),
        ("Legal.", "ko", "de en es pt"),
        ("The illegal.", "de", "de"),
        ("Is the illegal.", "de", "en"),
        ("害", "", "zh"),
        # No letters, an unknown script, and half of a known one.
        ("12!", "", ""),
        ("คำขอนี้", "", ""),
        ("คำขอ вред", "", "ru"),
        ("คำขอนี้ вред", "", ""),
    ],
)
def test_the_languages_that_a_text_may_be_in(text: str, context: str, codes: str) -> None:
    around = [languages()[context]] if context else []
    assert " ".join(one.code for one in candidates(normalised(text), around)) == codes


def test_words_of_several_languages_fit_several() -> None:
    assert [one.code for one in candidates("legal")] == ["de", "en", "es", "pt"]


def test_a_broken_file_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "xx.yml"
    path.write_text("script: Latin\nharmful: [bad]\nharmless: [fine]\nnegators: [not]\nhedge: [may]\n")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(AltTrainError) as error:
        languages.__wrapped__()
    assert str(error.value) == (f"{path}: field 'hedge' is invalid (Extra inputs are not permitted); correct it")
