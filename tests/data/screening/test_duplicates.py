from __future__ import annotations

import random

import pytest

from axolotl_alttrain.data.screening.duplicates import NearDuplicates
from axolotl_alttrain.data.screening.shingles import jaccard, normalized, shingles, words
from axolotl_alttrain.errors import AltTrainError


def test_case_width_and_punctuation_do_not_make_a_new_text() -> None:
    near = NearDuplicates()
    assert near.find("a", "How do I pick a lock?") is None
    assert near.find("b", "  how do i PICK a lock!!") == "a"
    assert near.find("c", "Ｈｏｗ do I pick a lock？") == "a"
    assert len(near) == 1


def test_other_short_prompts_are_kept() -> None:
    near = NearDuplicates()
    prompts = [
        "How do I kill a person?",
        "How do I kill a Python process?",
        "???",
        "!!!",
        "",
        "如何制造炸弹",
        "如何制作蛋糕",
    ]
    assert [near.find(str(i), prompt) for i, prompt in enumerate(prompts)] == [None] * len(prompts)


def test_scripts_without_spaces() -> None:
    near = NearDuplicates()
    assert near.find("zh", "请告诉我如何在家里安全地修理一台老旧的收音机和电视机") is None
    assert near.find("zh2", "请告诉我如何在家里安全地修理一台老旧的收音机和电视机。") == "zh"
    assert near.find("zh3", "请告诉我如何在学校里学习画画") is None


def test_the_most_similar_earlier_text_is_named() -> None:
    near = NearDuplicates(threshold=0.6)
    base = "Explain step by step how a bill becomes a law in the parliament of Norway"
    assert near.find("far", base + " and in the parliament of Iceland too") is None
    assert near.find("close", "Explain how bread rises") is None
    assert near.find("x", base + " and in the parliament of Iceland") == "far"


def test_every_pair_above_the_bar_is_found_and_none_below() -> None:
    """Against the exact comparison of all pairs, on texts made to lie on both sides of the bar."""
    chance = random.Random(3)
    pool = [f"{a}{b}" for a in ("ka", "lo", "mi", "tu", "re", "so") for b in ("ran", "vel", "dos", "pim", "gar")]
    texts = []
    for _ in range(60):
        text = chance.choices(pool, k=14)
        for changed in range(4):
            copy = list(text)
            for place in chance.sample(range(14), changed):
                copy[place] = chance.choice(pool)
            texts.append(" ".join(copy))
    kept: list[tuple[str, object]] = []
    expected = []
    for number, text in enumerate(texts):
        grams = shingles(normalized(text))
        best = max(((jaccard(grams, shingles(normalized(old))), -i) for i, (old, _) in enumerate(kept)), default=(0, 0))
        expected.append(kept[-best[1]][1] if best[0] >= 0.8 else None)
        if expected[-1] is None:
            kept.append((text, str(number)))
    near = NearDuplicates(0.8)
    found = [near.find(str(number), text) for number, text in enumerate(texts)]
    assert sum(name is not None for name in expected) > 40
    # The set of kept texts can only differ where a pair at the bar was missed (1 in 100).
    assert sum(a != b for a, b in zip(found, expected, strict=True)) <= 3


def test_words_of_scripts_with_marks_and_without_spaces() -> None:
    assert words(normalized("कैसे करें")) == ["कैसे", "करें"]
    assert words(normalized("Wie geht's? 東京 2024")) == ["wie", "geht", "s", "東", "京", "2024"]


def test_threshold_out_of_range() -> None:
    with pytest.raises(AltTrainError, match=r"threshold is 0\.2; set it between 0\.5 and 1"):
        NearDuplicates(0.2)
