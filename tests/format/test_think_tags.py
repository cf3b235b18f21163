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


ONE_THOUGHT = "write one thought before the answer and close it with one </think>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>a", f"has 1 <think> and 0 </think> ('<think>a'); {ONE_THOUGHT}"),
        ("<think/>a", f"has 0 <think> and 0 </think> ('<think/>a'); {ONE_THOUGHT}"),
        ("<think><think>a</think>b", f"has 2 <think> and 1 </think> ('<think><think>a</think>b'); {ONE_THOUGHT}"),
        ("a</think></think>b", f"has 0 <think> and 2 </think> ('a</think></think>b'); {ONE_THOUGHT}"),
        (
            "<think>a</think>b<Think>c</Think>d",
            f"has 2 <think> and 2 </think> ('<think>a</think>b<Think>c</Think>d'); {ONE_THOUGHT}",
        ),
        ("Intro <think>a</think>b", "has text before <think> ('Intro <think>a</think>b'); remove that text"),
        ("a</think>b<think>", "has text before <think> ('a</think>b<think>'); remove that text"),
        (None, "is missing; write <think>, the thought, </think> and the answer"),
    ],
)
def test_what_is_not_one_thought_before_an_answer_is_refused(text: str | None, said: str) -> None:
    with pytest.raises(RowError) as error:
        split_thought("response", text)
    assert str(error.value) == f"field 'response' {said}"
    with pytest.raises(RowError) as error:
        split_thought("messages", text)
    of_last_turn = f"has a last turn whose content {said}" if said.startswith("is") else f"has a last turn that {said}"
    assert str(error.value) == f"field 'messages' {of_last_turn}"


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


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<think>a", ("a", "", False)),
        (" <think> a", (" a", "", False)),
        (" a", (" a", "", False)),
        ("a <think>b", ("a <think>b", "", False)),
        ("<think>a</think>b<think>c</think>d", ("a", "b<think>c</think>d", True)),
        ("</think>b", ("", "b", True)),
    ],
)
def test_a_text_is_split_at_its_first_closing_tag(text: str, parts: tuple[str, str, bool]) -> None:
    assert split_unfinished(text) == parts


@pytest.mark.parametrize("text", ["<Think>\na\n</think>\n", "\n<think>\na\n</think>", "\na\n</think>"])
def test_a_thought_in_a_field_of_its_own_loses_its_tags(text: str) -> None:
    assert unwrapped(text).strip() == "a"


@pytest.mark.parametrize("text", [" a ", "a</think>b", "a<think>", "</think>a", "a</think> b <i>"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert unwrapped(text) == text
