"""The columns of published reasoning data, as messages.

OpenThoughts and Bespoke-Stratos keep a ``system`` column and ``conversations`` of ``from`` and ``value``; R1-style
data has a column each for problem, thought and solution, under many names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import RowError, described, shown

CONVERSATIONS = ("messages", "conversations", "conversation")
# The first that a row has is read. Names are compared in lower case.
QUESTIONS = ("instruction", "problem", "question", "prompt", "query", "input")
THOUGHTS = (
    "reasoning_content", "thinking", "reasoning", "thought", "think", "cot", "complex_cot", "chain_of_thought",
    "rationale", "thinking_trajectory", "thinking_trajectories",
)  # fmt: skip
ANSWERS = ("response", "attempt", "solution", "output", "completion", "generation", "answer")
_MODELS = ("", "deepseek_", "r1_", "gemini_")  # who wrote the thought, in front of the column's name
_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant",
    "system": "system", "tool": "tool", "observation": "tool", "function_response": "tool",
}  # fmt: skip
SHAPES = (
    "'messages'; or 'conversations'; or columns such as problem, reasoning and solution; or instruction and response "
    "with the thought in <think> tags"
)


@dataclass(frozen=True)
class Columns:
    """Where a row keeps its conversation.

    Attributes:
        field: The column that errors name: of the conversation, or of the answer.
        messages: The turns, as far as these columns have them.
        read: Names of the columns that were read.
    """

    field: str
    messages: list[Mapping[str, Any]]
    read: tuple[str, ...]


def read_columns(row: Mapping[str, Any]) -> Columns:
    """The conversation of a row in any shape.

    Args:
        row: Column names to values, without nulls.

    Raises:
        RowError: The row has none of the shapes.
    """
    for name in CONVERSATIONS:
        if name in row:
            return Columns(name, _messages(name, row[name]), (name,))
    question = _first(row, QUESTIONS, ("",))
    thought = _first(row, THOUGHTS, _MODELS)
    prefix = next((p for p in _MODELS[1:] if thought and thought.lower().startswith(p)), "")
    answer = _first(row, ANSWERS, (prefix, ""))
    if question is None or answer is None:
        has = f"has the columns {', '.join(sorted(row))}" if row else "has no columns"
        raise RowError("", f"{has}, which is not a shape of reasoning data", f"use {SHAPES}")
    reply = {"role": "assistant", "content": _text(answer, row[answer])}
    if thought is not None:
        reply["reasoning_content"] = _text(thought, row[thought])
    turns: list[Mapping[str, Any]] = [{"role": "user", "content": _text(question, row[question])}, reply]
    return Columns(answer, turns, tuple(name for name in (question, thought, answer) if name))


def _first(row: Mapping[str, Any], names: Iterable[str], prefixes: Iterable[str]) -> str | None:
    """The row's own name of the first of these columns that it has; of each prefix in turn."""
    own = {name.lower(): name for name in row}
    wanted = [prefix + name for prefix in prefixes for name in names]
    return next((own[name] for name in wanted if name in own), None)


def _text(name: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise RowError(name, described(value), "write one text")
    return value


def _messages(field: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        raise RowError(field, described(value), "list at least a user turn and the assistant's answer")
    return [_message(field, number, turn) for number, turn in enumerate(value, 1)]


def _message(field: str, number: int, turn: Any) -> Mapping[str, Any]:
    if not isinstance(turn, Mapping):
        raise RowError(field, f"has {shown(turn)} as turn {number}", "give every turn a role and a text")
    given = {key: value for key, value in turn.items() if value is not None}
    if "from" in given and "role" not in given:
        role = _ROLES.get(str(given["from"]))
        if role is None:
            problem = f"has a turn {number} from {shown(given['from'])}"
            raise RowError(field, problem, f"use one of {', '.join(_ROLES)}; write tool calls as 'tool_calls'")
        given = {"role": role, "content": given.get("value"), **_without(given, ("from", "value"))}
    if not isinstance(given.get("role"), str):
        raise RowError(field, f"has no role in turn {number}, {shown(given)}", "give every turn a role and a text")
    return given


def _without(turn: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in turn.items() if key not in names}
