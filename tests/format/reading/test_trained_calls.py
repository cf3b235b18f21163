from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.reading.trained_calls import with_calls

CALL = {"type": "function", "function": {"name": "oven", "arguments": {"celsius": 220, "mode": "grill"}}}
FORMAT = ThoughtFormat(end="<end>")


def rendering(write: Callable[[Message], str]) -> Callable[[Message], str]:
    return lambda turn: f"<user>Bake.<end><{turn['role']}>{write(turn)}<end>\n"


def names(calls: Sequence[Any]) -> str:
    return "".join(f"<call>{call['function']['name']} {call['function']['arguments']}</call>" for call in calls)


def test_the_calls_are_the_templates_text_up_to_the_end_of_the_turn() -> None:
    found = with_calls(FORMAT, [CALL], rendering(lambda turn: turn["content"] + names(turn.get("tool_calls", ()))))
    assert found.calls == "<call>oven {'celsius': 220, 'mode': 'grill'}</call>"
    assert found.end == "<end>"


def test_a_template_that_wants_json_text_gets_it() -> None:
    def write(turn: Message) -> str:
        calls = turn.get("tool_calls", ())
        if any(not isinstance(call["function"]["arguments"], str) for call in calls):
            raise TemplateError("can only concatenate str")
        return turn["content"] + names(calls)

    found = with_calls(FORMAT, [CALL], rendering(write))
    assert found.calls == '<call>oven {"celsius": 220, "mode": "grill"}</call>'
    text = {"function": {"name": "oven", "arguments": '{"celsius":220}'}}
    assert with_calls(FORMAT, [text], rendering(write)).calls == '<call>oven {"celsius":220}</call>'


def test_calls_are_rendered_in_either_notation() -> None:
    def write(turn: Message) -> str:
        return turn["content"] + "".join(f"<call>{call}</call>" for call in turn.get("tool_calls", ()))

    called = {"name": "oven", "arguments": {"mode": "grill"}}
    found = with_calls(FORMAT, [called | {"arguments": '{"mode": "grill"}'}], rendering(write))
    assert found.calls == f"<call>{called}</call>"
    assert (
        with_calls(FORMAT, [{"name": "now"}], rendering(write)).calls == "<call>{'name': 'now', 'arguments': {}}</call>"
    )


def listed(turn: Message) -> str:
    return "<end>".join(names([call]) for call in turn.get("tool_calls", ()))


def test_the_turn_ends_behind_the_last_call() -> None:
    def write(turn: Message) -> str:
        return f"{turn['content']}<end>{names(turn.get('tool_calls', ()))}<end>\n<next>"

    found = with_calls(FORMAT, [CALL], rendering(write))
    assert found.calls == "<end><call>oven {'celsius': 220, 'mode': 'grill'}</call>"
    twice = with_calls(
        ThoughtFormat(end=" <end>\n"), [CALL, CALL], rendering(lambda turn: turn["content"] + listed(turn))
    )
    assert (twice.calls, twice.end) == (f"{names([CALL])}<end>{names([CALL])}", "<end>")


NO_ANSWER = "cannot follow an answer in this chat template"


def reject(turn: Message) -> str:
    if "tool_calls" in turn:
        raise TemplateError("no tools")
    return str(turn["content"])


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda turn: turn["content"], "are not written by the chat template, which leaves out 'oven'"),
        (lambda turn: names(turn.get("tool_calls", ())) + turn["content"], NO_ANSWER),
        (lambda turn: names(turn["tool_calls"]) if "tool_calls" in turn else turn["content"], NO_ANSWER),
        (lambda turn: turn["content"] + names(turn.get("tool_calls", ())) + turn["content"], NO_ANSWER),
        (reject, "are rejected by the chat template"),
    ],
)
def test_other_templates_are_refused(write: Callable[[Message], str], said: str) -> None:
    with pytest.raises(RowError) as error:
        with_calls(FORMAT, [CALL], rendering(write))
    assert str(error.value) == f"field 'tool_calls' {said}; remove the calls, or end the row before them"


@pytest.mark.parametrize("end", ["<stop>", ""])
def test_another_end_of_turn_is_refused(end: str) -> None:
    with pytest.raises(RowError) as error:
        with_calls(ThoughtFormat(end=end), [CALL], rendering(lambda t: t["content"] + names(t.get("tool_calls", ()))))
    assert str(error.value) == (
        f"field 'tool_calls' end the turn with something else than {end!r} in this chat template; remove the calls, or "
        "end the row before them"
    )
