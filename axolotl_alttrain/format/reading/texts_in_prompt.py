"""Whether a rendered prompt contains what the row's author wrote, found by looking for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from axolotl_alttrain.errors import RowError, shown
from axolotl_alttrain.format.example import AltTrainExample, Message

_NOT_TEXTS = ("type", "id", "tool_call_id")
_THINK_TAG = re.compile(r"<\s*/?\s*think(?:ing)?[^<>]*>", re.IGNORECASE)


def missing_texts(example: AltTrainExample, prompt: str, completion: str) -> list[str]:
    """What the chat template leaves out of a row and inference leaves out as well: names, once each.

    These are thoughts of earlier turns, which most templates drop, calls and their results where a template takes none,
    and details of tools.

    Args:
        example: The example.
        prompt: Its rendered prompt.
        completion: What the model has to generate after it.

    Raises:
        RowError: The template leaves out a user or system turn or a tool, or changes its text.
    """
    if isinstance(example.instruction, str) and not (example.tools or example.tool_calls):
        if not appears(example.instruction, prompt):
            raise _left_out("instruction", example.instruction)
        return []
    missing: dict[str, None] = {}
    for number, message in enumerate(example.messages, 1):
        missing |= dict.fromkeys(_missing_of(message, number, prompt))
    for tool in example.tools:
        name = _name(tool)
        if name is None or not appears(name, prompt):
            raise RowError(
                "tools",
                f"is not in the prompt: the chat template ignores the tool {shown(name or tool)}",
                "remove the column, or set 'chat_template:' to a template that renders tools",
            )
        missing |= dict.fromkeys(path for path, text in leaves(tool, "tools") if not appears(text, prompt))
    for call in example.tool_calls:
        missing |= dict.fromkeys(
            path
            for path, text in leaves(call, "tool_calls")
            if not path.endswith(".arguments") and not appears(text, completion)
        )
    return list(missing)


def appears(text: str, prompt: str) -> bool:
    """Whether a text is in a prompt: as it is, JSON-escaped, or with other white space."""
    text = text.strip()
    if text in prompt:
        return True
    forms = {text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]}
    return any(form in prompt or "".join(form.split()) in _without_space(prompt) for form in forms)


@lru_cache(maxsize=2)
def _without_space(text: str) -> str:
    return "".join(text.split())


def leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The texts in a nested value, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _NOT_TEXTS:
                yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, Sequence):
        for inner in value:
            yield from leaves(inner, path)


def call_texts(call: Any) -> list[str]:
    """The name of a call and the texts of its arguments."""
    function = call.get("function", call) if isinstance(call, Mapping) else {}
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RowError("tool_calls", f"lists {shown(call)}", "give every call a 'function' with a 'name'")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            raise RowError(
                "tool_calls", f"has arguments that are not JSON ({shown(arguments)})", "correct them"
            ) from None
    return [function["name"], *(text for _, text in leaves(arguments, ""))]


def _missing_of(message: Message, number: int, prompt: str) -> Iterator[str]:
    field = f"messages.{message['role']}"
    own = message["role"] == "assistant"
    texts = [text for _, text in leaves(message.get("content"), "")]
    for text in texts:
        for part in _THINK_TAG.split(text) if own else (text,):
            if part.strip() and not appears(part, prompt):
                if message["role"] not in ("assistant", "tool"):
                    raise _left_out(f"message {number}, role {message['role']}", part)
                yield f"{field}.content"
    for call in message.get("tool_calls") or ():
        needed = call_texts(call)
        if not all(appears(text, prompt) for text in needed):
            yield f"{field}.tool_calls"
        for path, text in leaves(call, f"{field}.tool_calls"):
            if text not in needed and not path.endswith(".arguments") and not appears(text, prompt):
                yield path
    for key, value in message.items():
        if key in ("role", "content", "tool_calls", "tool_call_id"):
            continue
        if any(not appears(text, prompt) for _, text in leaves(value, "")):
            yield f"{field}.{key}"


def _name(tool: Mapping[str, Any]) -> str | None:
    function = tool.get("function", tool)
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _left_out(field: str, text: str) -> RowError:
    return RowError(
        field,
        f"is not in the prompt as written: the chat template leaves out or changes {shown(text)}",
        "change the row, or set 'chat_template:' to a template that renders it",
    )
