from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axolotl_alttrain.data.screening.languages import detect
from axolotl_alttrain.data.steps.understanding import is_filler, understand


@pytest.mark.parametrize(
    ("thought", "language", "text"),
    [
        ("Okay, so the user asks for a cake. I should think.", "en", "Okay, so the user asks for a cake."),
        ("The user asks Dr. Smith of the U.S. Army, e.g. about pay. Then.", "en",
         "The user asks Dr. Smith of the U.S. Army, e.g. about pay."),
        ('They said "Kill it. Now." in a game. I see.', "en", 'They said "Kill it. Now." in a game.'),
        ("They want “Stop. Go.” as a title. I see.", "en", "They want “Stop. Go.” as a title."),
        ("Pi is 3.14 and v1.2.3 is out. More.", "en", "Pi is 3.14 and v1.2.3 is out."),
        ("They run `a. B()` now. Then more.", "en", "They run `a. B()` now."),
        ("They ask (see Fig. 3. Really) for it. More.", "en", "They ask (see Fig. 3. Really) for it."),
        ("The user asks: how?\n\nFirst, I look.", "en", "The user asks: how?"),
        ("No full stop here\n\nSecond block.", "en", "No full stop here"),
        ("好的，用户想知道“为什么天空是蓝色的？”这个问题。我来想想。", "zh",
         "好的，用户想知道“为什么天空是蓝色的？”这个问题。"),
        ("用户问怎么做饭。先想想。", None, "用户问怎么做饭。"),
        ("ユーザーは「なぜ？空」と聞いている。考えよう。", "ja", "ユーザーは「なぜ？空」と聞いている。"),
        ("يسأل المستخدم عن لون السماء؟ سأفكر في ذلك.", None, "يسأل المستخدم عن لون السماء؟"),
        ("One. Two", "xx", "One."),
        ('A quote " that never ends. Next one. And on. And on. And on. And on.', "en", 'A quote " that never ends.'),
        ("x" * 4000 + ". Next.", "en", "x" * 4000 + "."),
        ("", "en", ""),
    ],
)  # fmt: skip
def test_the_first_sentence(thought: str, language: str | None, text: str) -> None:
    found = understand(thought, language)
    assert (found.text, found.changed) == (text, False)


@pytest.mark.parametrize(
    ("thought", "text"),
    [
        ("Okay. The user asks why. Because.", "Okay. The user asks why."),
        ("Hmm.\nThe user asks why. Because.", "Hmm.\nThe user asks why."),
        ("Hmm... Okay. Let me think. The user asks why. Because.", "Hmm... Okay. Let me think. The user asks why."),
        ("Alright.\n\nSo they ask why. Because.", "Alright.\n\nSo they ask why."),
        ("嗯。用户问为什么。因为。", "嗯。用户问为什么。"),
    ],
)
def test_a_filler_takes_the_next_sentence_along_and_is_counted(thought: str, text: str) -> None:
    found = understand(thought)
    assert (found.text, found.changed) == (text, True)


def test_what_is_a_filler() -> None:
    assert all(
        map(is_filler, ["Okay.", "Hmm, okay, so...", "Let me think about this.", "好的，嗯。", "First things first:"])
    )
    assert not any(map(is_filler, ["Okay, a cake.", "Paris.", "42."]))


@given(st.text(alphabet="ab .!?\n\"'“”。，`(", max_size=120))
def test_nothing_is_lost(thought: str) -> None:
    found = understand(thought, "en")
    assert found.text + found.gap + found.rest == thought.strip()
    assert found.text or not thought.strip()


def test_languages() -> None:
    texts = {"en": "How do I bake a cake for my sister?", "es": "¿Cómo puedo hacer una tarta para mi hermana?",
             "zh": "怎么做蛋糕？", "ja": "ケーキの作り方は？", "ko": "케이크는 어떻게 만들어요?",
             "ar": "كيف أصنع كعكة؟"}  # fmt: skip
    assert {code: detect(text) for code, text in texts.items()} == {code: code for code in texts}
