from __future__ import annotations

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.think_tags import find_tag, split_thought, split_unfinished, unwrapped


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think>b",
        "a</think>b",
        "<Think>a</THINK>b",
        '<think type="plan">a</think>b',
        "<think note='a > b'>a</think>b",
        "< think >a</ think >b",
        "\n<think\n>a</think >b",
        "<thinking>a</thinking>b",
    ],
)
def test_every_spelling_of_the_tags_is_recognised(text: str) -> None:
    assert split_thought("response", text) == ("a", "b")
    assert split_unfinished(text) == ("a", "b", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>a", "has 1 <think> and 0 </think>"),
        ("<think/>a", "has 0 <think> and 0 </think>"),
        ("<think><think>a</think>b", "has 2 <think> and 1 </think>"),
        ("<think>a</think>b<Think>c</Think>d", "has 2 <think> and 2 </think>"),
        ("Intro <think>a</think>b", "has text before <think>"),
        ("a</think>b<think>", "has text before <think>"),
    ],
)
def test_what_is_not_one_thought_before_an_answer_is_refused(text: str, said: str) -> None:
    with pytest.raises(RowError) as error:
        split_thought("response", text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("x <Think> y", "<Think>"),
        ("x </ thinking> y", "</ thinking>"),
        ("cut <think", "<think"),
        ("I think so. 1 < 2, <b>, <thinker>, <rethink>", None),
        ("<think it's>", "<think it's>"),
    ],
)
def test_tags_are_found_in_a_text(text: str, tag: str | None) -> None:
    assert find_tag(text) == tag


def test_an_open_thought_is_unfinished() -> None:
    assert split_unfinished("<think>a") == ("a", "", False)


@pytest.mark.parametrize("text", ["<Think>\na\n</think>\n", "\n<think>\na\n</think>", "\na\n</think>"])
def test_a_thought_in_a_field_of_its_own_loses_its_tags(text: str) -> None:
    assert unwrapped(text).strip() == "a"
    assert unwrapped(" a ") == " a "
