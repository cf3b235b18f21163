"""Columns of a row that belong to the prompt, beside the instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from axolotl_alttrain.errors import RowError, described, shown
from axolotl_alttrain.format.example import BLANK_LINE
from axolotl_alttrain.format.reading.nulls import nested

SYSTEM_COLUMNS = ("system", "system_prompt")
PROMPT_COLUMNS = (*SYSTEM_COLUMNS, "history", "input", "tools")
# Parts of a prompt that cannot be rendered here.
_UNSUPPORTED = (
    "image", "images", "audio", "audios", "video", "videos", "documents", "context", "functions",
    "chat_template_kwargs",
)  # fmt: skip


def with_prompt_columns(field: str, instruction: Any, row: Mapping[str, Any]) -> Any:
    """The instruction with the row's system prompt, earlier turns and input.

    Args:
        field: Where the instruction comes from: ``instruction`` or ``messages``.
        instruction: A text or a list of messages.
        row: The row, without nulls.

    Raises:
        RowError: A column cannot be part of this row's prompt; the message names it.
    """
    for name in _UNSUPPORTED:
        if filled(row, name):
            raise RowError(
                name,
                "belongs to the prompt, and this strategy cannot render it",
                "write it into the texts or remove it",
            )
    text = isinstance(instruction, str) and field == "instruction"
    for name in ("input", "history"):
        if filled(row, name) and not text:
            raise RowError(name, f"is given beside a conversation in '{field}'", f"move it into '{field}' or remove it")
    if filled(row, "input"):
        instruction = f"{instruction.strip()}{BLANK_LINE}{_text(row, 'input')}"
    turns = _history(row["history"]) if filled(row, "history") else []
    system = _system(row)
    if not turns and system is None:
        return instruction
    if isinstance(instruction, str):
        turns.append({"role": "user", "content": instruction})
    elif isinstance(instruction, Sequence):
        turns = list(instruction)
    else:
        return instruction  # is refused as a missing instruction
    given = [turn.get("content") for turn in turns if isinstance(turn, Mapping) and turn.get("role") == "system"]
    if system is None or given == [system]:
        return turns
    if given:
        name = next(name for name in SYSTEM_COLUMNS if filled(row, name))
        raise RowError(name, "is not the only system prompt: the conversation has one too", "remove one of the two")
    return [{"role": "system", "content": system}, *turns]


def tools_of(row: Mapping[str, Any]) -> list[Any]:
    """The row's tools; from a list, or from its JSON text.

    Raises:
        RowError: They are not a list of objects.
    """
    if not filled(row, "tools"):
        return []
    found = nested("tools", row["tools"])
    if not isinstance(found, list):
        raise RowError("tools", described(found), "list the tools as objects")
    tools = [nested("tools", tool) for tool in found]
    for tool in tools:
        function = tool.get("function", {}) if isinstance(tool, dict) else None
        if not isinstance(function, dict):
            raise RowError("tools", f"lists {shown(tool)}", "list the tools as objects")
        if isinstance(function.get("parameters"), str):
            tool["function"] = {**function, "parameters": nested("tools", function["parameters"])}
    return tools


def filled(row: Mapping[str, Any], name: str) -> bool:
    """Whether the row has a value in a column; empty texts and lists are none."""
    value = row.get(name)
    return value is not None and not (isinstance(value, str | list | tuple | dict) and not value)


def prompt_field(row: Mapping[str, Any]) -> str:
    """The column to name where a template rejects the prompt of a row: one beside the instruction, if there is one."""
    return next((name for name in (*SYSTEM_COLUMNS, "history", "tools") if filled(row, name)), "instruction")


def _system(row: Mapping[str, Any]) -> str | None:
    found = [_text(row, name) for name in SYSTEM_COLUMNS if filled(row, name)]
    found = [text for text in found if text]
    if len(set(found)) > 1:
        raise RowError("system", "differs from 'system_prompt'", "keep one of the two")
    return found[0] if found else None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise RowError(name, described(value), "write a string")
    return value.strip()


def _history(value: Any) -> list[Any]:
    """Earlier turns, from messages or from pairs of a request and its answer."""
    turns: list[Any] = []
    found = nested("history", value)
    if not isinstance(found, list):
        raise RowError("history", described(found), "list messages, or pairs of a request and its answer")
    for item in found:
        if isinstance(item, Mapping):
            turns.append(item)
        elif isinstance(item, list) and len(item) == 2 and all(isinstance(text, str) for text in item):
            turns += [{"role": "user", "content": item[0]}, {"role": "assistant", "content": item[1]}]
        else:
            raise RowError("history", f"lists {shown(item)}", "list messages, or pairs of a request and its answer")
    return turns
