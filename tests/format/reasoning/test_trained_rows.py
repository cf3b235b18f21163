"""What is trained on a conversation, as text, on templates of three kinds and in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError, RowError, TemplateError
from axolotl_alttrain.format.reasoning.off_mode import learn_off_mode
from axolotl_alttrain.format.reasoning.pieces import Piece
from axolotl_alttrain.format.reasoning.segments_of_pieces import cut_pieces
from axolotl_alttrain.format.reasoning.trained_rows import row_renderer, thinking_option
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.segments import Segment
from axolotl_alttrain.format.template import ChatFormat, learn_format
from tests.conftest import HARMFUL_ROW

from .conftest import SHOWS_ALL

ROW = {"problem": "1+1?", "reasoning": "One and one.", "solution": "2"}
TURNS = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "<think>\nOne and one.\n</think>\n\n2"},
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "reasoning_content": "Twice that.", "content": "4"},
    ]
}
SYSTEM = "<|im_start|>system\nBe brief.<|im_end|>\n"
ASKED = "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"
FIRST = "<think>\nOne and one.\n</think>\n\n2<|im_end|>"
ASKED_AGAIN = "\n<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n"
SECOND = "<think>\nTwice that.\n</think>\n\n4<|im_end|>"


def pieces(chat: ChatFormat, row: dict[str, Any], thinking: Any = "on", turns: Any = "last") -> list[list[Any]]:
    rendered = row_renderer(chat, RowReader(), True, thinking, turns)(row)
    return [[(piece.text, piece.trained) for piece in trained.pieces] for trained in rendered]


def test_the_parts_of_a_row_and_what_of_it_is_unread(learned: Callable[[str], ChatFormat]) -> None:
    prompt = Piece((("prompt", ASKED),), trained=False)
    closed = Piece((("prompt", f"{ASKED}<think>\n\n</think>\n\n"),), trained=False)
    end = ("end_of_turn", "<|im_end|>")
    steps = (("thought", "One and one."), ("thought_closing", "\n</think>\n\n"), ("answer", "2"))
    both = row_renderer(learned("trl_qwen3"), RowReader(), True, "both")
    on, off = both({**ROW, "domain": "sums"})
    assert on.pieces == [prompt, Piece((("thought_opening", "<think>\n"), *steps, end), trained=True)]
    assert off.pieces == [closed, Piece((("answer", "2"), end), trained=True)]
    assert [(one.example.mode, one.unread) for one in (on, off)] == [("on", ("domain",)), ("off", ())]  # type: ignore[union-attr]
    [alone] = row_renderer(learned("trl_qwen3"), RowReader(), True, "off")({**ROW, "domain": "sums"})
    assert (alone.pieces, alone.unread) == (off.pieces, ("domain",))
    every = row_renderer(learned("shows all"), RowReader(), True, "on", "all")(TURNS)[0]
    assert [(piece.parts[0], piece.trained) for piece in every.pieces] == [
        (("prompt", SYSTEM + ASKED), False),
        (("thought_opening", "<think>\n"), True),
        (("prompt", ASKED_AGAIN), False),
        (("thought_opening", "<think>\n"), True),
    ]


def test_an_alttrain_row_names_what_is_unread_once(learned: Callable[[str], ChatFormat]) -> None:
    row = {**HARMFUL_ROW, "score": 3}
    chat = learned("trl_qwen3")
    assert [one.unread for one in row_renderer(chat, RowReader(), False, "both")(row)] == [("score",), ()]
    assert [one.unread for one in row_renderer(chat, RowReader(), False, "off")(row)] == [("score",)]


def test_the_segments_of_rows_have_their_tokens(learned: Callable[[str], ChatFormat]) -> None:
    chat = learned("axolotl_chatml")
    rows = [[Piece((("prompt", "Hi"),), False), Piece((("answer", "2"), ("end_of_turn", "<|im_end|>")), True)], []]

    def ids(text: str) -> tuple[int, ...]:
        return tuple(chat.encode([text])[0])

    prompt, end = Segment("prompt", "Hi", ids("Hi")), Segment("end_of_turn", "<|im_end|>", (2,))
    assert cut_pieces(chat, [*rows, rows[0][:1]]) == [[prompt, Segment("answer", "2", ids("2")), end], [], [prompt]]


def test_three_turns_are_trained(learned: Callable[[str], ChatFormat]) -> None:
    messages = [*TURNS["messages"][:3], *TURNS["messages"][1:]]
    [found] = pieces(learned("shows all"), {"messages": messages}, turns="all")
    again = ASKED_AGAIN.replace("2+2?", "1+1?")
    assert found == [
        (SYSTEM + ASKED, False),
        (FIRST, True),
        (again, False),
        (FIRST, True),
        (ASKED_AGAIN, False),
        (SECOND, True),
    ]


def test_an_answer_that_the_template_changes_is_named(smollm2: Any) -> None:
    changed = "{{ m.content if loop.last or m.role != 'assistant' else 'hidden' }}"
    turns = [TURNS["messages"][1], {"role": "assistant", "content": "Two."}, *TURNS["messages"][3:]]
    with pytest.raises(TemplateError) as error:
        pieces(learn_format(smollm2, SHOWS_ALL.replace("{{ m.content }}", changed)), {"messages": turns})
    assert str(error.value) == "the chat template changes turn 2, of role 'assistant'"


def test_a_data_set_thinks_by_default(learned: Callable[[str], ChatFormat]) -> None:
    renderer = row_renderer(learned("axolotl_chatml"), RowReader(), True)
    assert renderer.off is None
    assert renderer.on is not None
    assert not renderer.on.every


def test_the_last_turn_alone_is_trained_where_all_are_shown(learned: Callable[[str], ChatFormat]) -> None:
    expected = [[(SYSTEM + ASKED + FIRST + ASKED_AGAIN, False), (SECOND, True)]]
    assert pieces(learned("shows all"), TURNS) == expected


def test_a_turn_that_the_template_leaves_out_is_named(smollm2: Any) -> None:
    source = SHOWS_ALL.replace(
        "{% if m.role not in", "{% if m.role == 'tool' %}{% continue %}{% endif %}{% if m.role not in"
    )
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "add", "arguments": {}}}]}
    turns = [TURNS["messages"][1], call, {"role": "tool", "content": "two"}, TURNS["messages"][-1]]
    with pytest.raises(TemplateError) as error:
        pieces(learn_format(smollm2, source), {"messages": turns})
    assert str(error.value) == "the chat template changes turn 3, of role 'tool'"


@pytest.mark.parametrize("name", ["trl_qwen3", "axolotl_chatml", "shows all"])
def test_one_turn(learned: Callable[[str], ChatFormat], name: str) -> None:
    assert pieces(learned(name), ROW) == [[(ASKED, False), (FIRST, True)]]


def test_one_turn_on_r1_distill(learned: Callable[[str], ChatFormat]) -> None:
    prompt = "<｜begin▁of▁sentence｜><｜User｜>1+1?<｜Assistant｜><think>\n"
    completion = "One and one.\n</think>\n\n2<｜end▁of▁sentence｜>"
    assert pieces(learned("deepseek_r1_distill"), ROW) == [[(prompt, False), (completion, True)]]


@pytest.mark.parametrize("name", ["axolotl_chatml", "trl_qwen3"])
def test_the_last_turn_alone_sees_earlier_answers(learned: Callable[[str], ChatFormat], name: str) -> None:
    prompt = f"{SYSTEM}{ASKED}2<|im_end|>{ASKED_AGAIN}"
    assert pieces(learned(name), TURNS) == [[(prompt, False), (SECOND, True)]]


@pytest.mark.parametrize("name", ["axolotl_chatml", "shows all"])
def test_every_turn_that_the_template_shows(learned: Callable[[str], ChatFormat], name: str) -> None:
    expected = [(SYSTEM + ASKED, False), (FIRST, True), (ASKED_AGAIN, False), (SECOND, True)]
    assert pieces(learned(name), TURNS, turns="all") == [expected]


def test_turns_that_the_template_changes_are_not_trained(learned: Callable[[str], ChatFormat]) -> None:
    prompt = f"{SYSTEM}{ASKED}2<|im_end|>{ASKED_AGAIN}"
    assert pieces(learned("trl_qwen3"), TURNS, turns="all") == [[(prompt, False), (SECOND, True)]]
    prompt = (
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>1+1?<｜Assistant｜>2<｜end▁of▁sentence｜>"
        "<｜User｜>2+2?<｜Assistant｜><think>\n"
    )
    completion = "Twice that.\n</think>\n\n4<｜end▁of▁sentence｜>"
    assert pieces(learned("deepseek_r1_distill"), TURNS, turns="all") == [[(prompt, False), (completion, True)]]


def test_a_marked_earlier_turn_is_not_trained(learned: Callable[[str], ChatFormat]) -> None:
    messages = [*TURNS["messages"]]
    messages[2] = {**messages[2], "train": False}
    expected = [[(SYSTEM + ASKED + FIRST + ASKED_AGAIN, False), (SECOND, True)]]
    assert pieces(learned("shows all"), {"messages": messages}, turns="all") == expected


def test_a_row_whose_last_turn_is_marked_is_left_out(learned: Callable[[str], ChatFormat]) -> None:
    messages = [*TURNS["messages"][:-1], {**TURNS["messages"][-1], "weight": 0}]
    assert pieces(learned("axolotl_chatml"), {"messages": messages}) == []


def test_both_modes_of_a_hybrid_template(learned: Callable[[str], ChatFormat]) -> None:
    chat = learned("trl_qwen3")
    assert learn_off_mode(chat).kwargs == {"enable_thinking": False}
    closed = f"{ASKED}<think>\n\n</think>\n\n"
    off = [(closed, False), ("2<|im_end|>", True)]
    assert pieces(chat, ROW, "both") == [[(ASKED, False), (FIRST, True)], off]
    assert pieces(chat, ROW, "off") == [off]
    without = {"question": "1+1?", "answer": "2"}
    assert pieces(chat, without, "both") == [off]
    with pytest.raises(RowError, match="field 'messages' has no thought in its last turn; add one, remove the row, or"):
        pieces(chat, without)


def test_alttrain_rows_in_both_modes(learned: Callable[[str], ChatFormat]) -> None:
    chat = learned("trl_qwen3")
    on, off = row_renderer(chat, RowReader(), False, "both")(HARMFUL_ROW)
    assert tuple("".join(piece.text for piece in on.pieces[place : place + 1]) for place in (0, 1)) == chat.render(
        on.example  # type: ignore[arg-type]
    )
    steps = ("problem_understanding", "harmfulness_assessment", "conditional_reasoning")
    names = ["thought_opening", *steps, "thought_closing", "answer", "end_of_turn"]
    assert [(piece.trained, [name for name, _ in piece.parts]) for piece in on.pieces] == [
        (False, ["prompt"]),
        (True, names),
    ]
    assert off.pieces[0].text.endswith("passport.<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert (off.pieces[1].text, off.example.label) == ("I can't help with that.<|im_end|>", "harmful")


@pytest.mark.parametrize("name", ["deepseek_r1_distill", "axolotl_chatml"])
@pytest.mark.parametrize("thinking", ["off", "both"])
def test_a_template_without_an_off_mode_refuses(learned: Callable[[str], ChatFormat], name: str, thinking: Any) -> None:
    with pytest.raises(TemplateError) as error:
        row_renderer(learned(name), RowReader(), True, thinking)
    assert str(error.value) == (
        "alttrain: thinking is 'off' or 'both', and this chat template has no non-thinking mode: it has no variable "
        "that turns thinking off; set 'thinking: on'"
    )


def test_tools_are_rendered_or_refused(learned: Callable[[str], ChatFormat]) -> None:
    row = {**ROW, "tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}]}
    [[(prompt, _), _]] = pieces(learned("shows all"), row)
    assert prompt == "<|im_start|>tools\nadd<|im_end|>\n" + ASKED
    with pytest.raises(RowError) as error:
        pieces(learned("axolotl_chatml"), row)
    assert str(error.value) == (
        "field 'tools' names 'add', and the chat template does not write it; use a template with tools"
    )
    nameless = {**ROW, "tools": [{"type": "function", "function": {"description": "x"}}]}
    assert len(pieces(learned("axolotl_chatml"), nameless)) == 1


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("reasoning", "a<|im_end|>", "field 'thought' contains the special token '<|im_end|>'; remove it"),
        ("solution", "a<|im_end|>", "field 'answer' contains the special token '<|im_end|>'; remove it"),
        ("reasoning", "a </think> b", "field 'thought' contains '</think>', a marker of the chat template; remove it"),
    ],
)
def test_control_texts_are_refused(learned: Callable[[str], ChatFormat], field: str, text: str, message: str) -> None:
    with pytest.raises(RowError) as error:
        pieces(learned("axolotl_chatml"), {**ROW, field: text})
    assert str(error.value) == message


@pytest.mark.parametrize(("given", "read"), [(True, "on"), (False, "off"), (None, "on"), ("both", "both")])
def test_yaml_s_on_and_off_are_booleans(given: Any, read: str) -> None:
    assert thinking_option(given) == read


@pytest.mark.parametrize("given", ["maybe", 1, ["on"]])
def test_another_value_is_refused(given: Any) -> None:
    with pytest.raises(AltTrainError) as error:
        thinking_option(given)
    assert str(error.value) == f"alttrain: thinking: found {given!r}; allowed: on, off, both"
