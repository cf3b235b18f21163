from __future__ import annotations

import pytest

from axolotl_alttrain.format.probing.thought_tags import (
    closes,
    closing_of,
    is_closed,
    last_tag,
    opens_thought,
    pairs,
    tags,
)


def test_tags_in_order() -> None:
    assert tags("a<b>[C] < d > ◁e▷<|f|><|g><h|>[]<>") == ["<b>", "[C]", "◁e▷", "<|f|>", "<|g>", "<h|>"]


@pytest.mark.parametrize(
    ("tag", "closing"),
    [
        ("<think>", "</think>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|channel>", "<channel|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|thought-open|>", "<|thought-close|>"),
        ("<|fim_prefix|>", "<|fim_suffix|>"),
        ("<|bo.t|>", "<|eo.t|>"),
        ("<|thought|>", None),
    ],
)
def test_what_closes_a_tag(tag: str, closing: str | None) -> None:
    assert closing_of(tag) == closing
    assert not closes(tag)
    if closing:
        assert closes(closing)
    assert closes("<end>")


@pytest.mark.parametrize("form", ["<|/cot|>", "<|end_cot|>", "<|cot_end|>", "<|end_of_cot|>", "<|endcot|>"])
def test_the_template_decides_between_forms(form: str) -> None:
    assert closing_of("<|cot|>", f"{{{{ '{form}' }}}}") == form
    assert closing_of("<|cot|>", f"{form} <|/cot|>") == "<|/cot|>"


def test_tags_that_open_a_thought() -> None:
    assert [opens_thought(tag) for tag in ("<think>", "</think>", "<plan>", "<|inner|>", "<|end_thinking|>")] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_the_last_tag_of_a_text() -> None:
    assert last_tag("<a> x <b>\n ") == "<b>"
    assert last_tag("<a> x") is None
    assert last_tag("x") is None


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("<think>\n</think>\n\n", True),
        ("x</think>", True),
        ("<think>\n", False),
        ("</think> x", False),
        ("<plan></plan>", False),
        ("<channel>thought</channel>", True),
        ("<channel>thought</channel><channel>final</channel>", False),
        ("<channel>final</channel><channel>thought</channel>", True),
        ("</channel>", False),
        ("<|plan|>thought<|/plan|>", True),
    ],
)
def test_a_text_that_ends_with_a_closed_thought(text: str, closed: bool) -> None:
    assert is_closed(text) is closed


def test_pairs_of_a_template() -> None:
    source = (
        "</b> <b> <a> <|start_x|> <tool_call> </tool_call> <|end_x|> </a> <open_alone> <|c> <c|> <|cot|> <|cot_end|>"
    )
    assert pairs(source) == [
        ("<a>", "</a>"),
        ("<b>", "</b>"),
        ("<|c>", "<c|>"),
        ("<|cot|>", "<|cot_end|>"),
        ("<|start_x|>", "<|end_x|>"),
    ]
