"""Read rows of ordinary reasoning data: thoughts of any form, conversations of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from axolotl_alttrain.errors import RowError, described, shown
from axolotl_alttrain.format.reading.loss_marks import MARKS
from axolotl_alttrain.format.reading.nulls import without_nulls
from axolotl_alttrain.format.reading.prompt_columns import PROMPT_COLUMNS, tools_of, with_prompt_columns
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn, Conversation, Turn
from axolotl_alttrain.format.reasoning.conversation_columns import Columns, read_columns
from axolotl_alttrain.format.think_tags import find_tag, split_thought, unwrapped

_THOUGHT_KEYS = ("reasoning_content", "thinking", "reasoning")
_FACTS = ("id", "category", "source", "language")
# OpenThoughts and its relatives (https://huggingface.co/datasets/open-thoughts/OpenThoughts-114k).
_BEGIN_THOUGHT, _END_THOUGHT = "<|begin_of_thought|>", "<|end_of_thought|>"
_BEGIN_ANSWER, _END_ANSWER = "<|begin_of_solution|>", "<|end_of_solution|>"


def conversation_from_row(row: Mapping[str, Any]) -> Conversation:
    """Read one row.

    Args:
        row: Column names to values. ``None`` counts as missing, because Arrow fills absent columns with it.

    Raises:
        RowError: The row has no known shape, or a turn is not valid. :func:`~..rows.row_error` adds file and row.
    """
    row = {name: value for name, value in row.items() if value is not None}
    columns = read_columns(row)
    turns = tuple(_turn(columns.field, message) for message in _with_prompt(columns, row))
    last = turns[-1]
    if not isinstance(last, AssistantTurn):
        calls = isinstance(last, Mapping) and last.get("tool_calls")
        problem = "ends with tool calls" if calls else f"ends with a turn of role '{last.get('role')}'"
        raise RowError(columns.field, problem, "end it with the assistant's answer")
    known = {*columns.read, *PROMPT_COLUMNS, *_FACTS}
    return Conversation(
        turns,
        tuple(tools_of(row)),
        unread=tuple(sorted(name for name in row if name not in known)),
        **{name: str(row[name]) for name in _FACTS if name in row},
    )


def _with_prompt(columns: Columns, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages with the system prompt, earlier turns and input that stand in columns of their own."""
    others = {name: value for name, value in row.items() if name not in columns.read}
    *history, last = columns.messages
    alone = len(columns.read) > 1
    instruction = history[0]["content"] if alone else history
    found = with_prompt_columns("instruction" if alone else columns.field, instruction, others)
    turns = [{"role": "user", "content": found}] if isinstance(found, str) else list(found)
    return [*turns, last]


def _turn(field: str, message: Mapping[str, Any]) -> Turn:
    message = without_nulls(message)
    if message.get("role") != "assistant" or message.get("tool_calls"):
        return {key: value for key, value in message.items() if key not in MARKS}
    thought, answer = _parted(field, message, _joined(field, message.get("content")))
    if not answer.strip():
        raise RowError(field, "has an assistant turn without an answer", "write the answer after the thought")
    marks = [message[name] for name in MARKS if name in message]
    trained = not any(mark in (False, 0) for mark in marks)
    return AssistantTurn(answer.strip(), (thought or "").strip() or None, trained)


def _joined(field: str, content: Any) -> str:
    """The text of an assistant's content; from its text parts, if it is a list."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) == len(parts):
            return "\n".join(texts)
    if not isinstance(content, str):
        raise RowError(field, f"has an assistant turn whose content {described(content)}", "write a string")
    return content


def _parted(field: str, message: Mapping[str, Any], content: str) -> tuple[str | None, str]:
    """Thought and answer."""
    given = {key: message[key] for key in _THOUGHT_KEYS if message.get(key)}
    marked = _BEGIN_THOUGHT in content or _END_THOUGHT in content
    inline = marked or find_tag(content) is not None
    if given:
        if len({str(value) for value in given.values()}) > 1 or inline:
            also = " and in tags" if inline else ""
            raise RowError(field, f"gives a thought more than once: as {', '.join(given)}{also}", "keep one of them")
        thought = next(iter(given.values()))
        if not isinstance(thought, str):
            raise RowError(field, f"has no text as its thought, but {shown(thought)}", "write the thought")
        return unwrapped(thought), content
    if marked:
        return _split_markers(field, content)
    return split_thought(field, content) if inline else (None, content)


def _split_markers(field: str, text: str) -> tuple[str, str]:
    markers: Sequence[str] = (_BEGIN_THOUGHT, _END_THOUGHT, _BEGIN_ANSWER, _END_ANSWER)
    counts = [text.count(marker) for marker in markers]
    places = [text.find(marker) for marker in markers if marker in text]
    if counts[:2] != [1, 1] or max(counts) > 1 or places != sorted(places) or text[: places[0]].strip():
        raise RowError(
            field,
            f"does not have one thought between {_BEGIN_THOUGHT} and {_END_THOUGHT} ({shown(text)})",
            "write one thought before the answer",
        )
    thought, _, answer = text.partition(_BEGIN_THOUGHT)[2].partition(_END_THOUGHT)
    before, found, inside = answer.partition(_BEGIN_ANSWER)
    if found:
        inside, _, behind = inside.partition(_END_ANSWER)
        if before.strip() or behind.strip():
            raise RowError(field, f"has text outside {_BEGIN_ANSWER}", "move it into the answer")
        return thought, inside
    return thought, answer
