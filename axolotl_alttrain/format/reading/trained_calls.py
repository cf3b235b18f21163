"""Tool calls of the trained turn: the template's own text for them, found by rendering."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.reading.texts_in_prompt import appears, call_texts

_ANSWER = "alttrainanswer"  # plain letters: no template trims, splits or escapes them
_REMEDY = "remove the calls, or end the row before them"


def with_calls(
    thought: ThoughtFormat, calls: Sequence[Mapping[str, Any]], render: Callable[[Message], str]
) -> ThoughtFormat:
    """The format of a turn that ends with these calls.

    Args:
        thought: The format of a turn without calls.
        calls: The calls.
        render: The whole conversation with this message as its last turn, without a generation prompt.

    Raises:
        RowError: The template does not write the calls between the answer and the end of the turn.
    """
    before = render({"role": "assistant", "content": _ANSWER}).partition(_ANSWER)[0]
    written = _rendered(calls, render)
    head, found, tail = written.partition(_ANSWER)
    if not found or head != before or _ANSWER in tail:
        raise RowError("tool_calls", "cannot follow an answer in this chat template", _REMEDY)
    end, at = thought.end.strip(), 0
    for text in (text for call in calls for text in call_texts(call)):
        if not appears(text, tail):
            raise RowError("tool_calls", f"are not written by the chat template, which leaves out {text!r}", _REMEDY)
        at = max(at, tail.rfind(text))
    stop = tail.find(end, at) if end else -1
    if stop < 0:
        raise RowError("tool_calls", f"end the turn with something else than {end!r} in this chat template", _REMEDY)
    return replace(thought, calls=tail[:stop], end=tail[stop : stop + len(end)])


def _rendered(calls: Sequence[Mapping[str, Any]], render: Callable[[Message], str]) -> str:
    """The conversation with the calls; arguments as an object or, where the template wants that, as JSON text."""
    for form in (_as_objects, _as_texts):
        try:
            return render({"role": "assistant", "content": _ANSWER, "tool_calls": [form(call) for call in calls]})
        except TemplateError:
            continue
    raise RowError("tool_calls", "are rejected by the chat template", _REMEDY)


def _as_objects(call: Mapping[str, Any]) -> dict[str, Any]:
    return _with_arguments(call, lambda value: json.loads(value) if isinstance(value, str) else value)


def _as_texts(call: Mapping[str, Any]) -> dict[str, Any]:
    return _with_arguments(call, lambda value: value if isinstance(value, str) else json.dumps(value))


def _with_arguments(call: Mapping[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    function = call.get("function", call)
    changed = {**function, "arguments": form(function.get("arguments", {}))}
    return {**call, "function": changed} if "function" in call else changed
