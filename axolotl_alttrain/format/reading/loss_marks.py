"""Marks with which a row takes its last turn out of the loss: ``train: false`` and ``weight: 0``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from axolotl_alttrain.errors import RowError, shown

MARKS = ("train", "training", "weight")


def carries_loss(messages: Any, field: str | None = None) -> bool:
    """Whether a conversation's last turn is to be trained.

    As Axolotl reads them: a mark on the turn (its ``message_field_training``), or on each part of its content.
    ``weight`` on a turn is the mark of OpenAI's fine-tuning format.

    Args:
        messages: The row's messages.
        field: The name of the mark that the config gives.

    Raises:
        RowError: A mark would train a part of the turn, or is neither yes nor no.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        return True
    last = messages[-1]
    if not isinstance(last, Mapping):
        return True
    if False in [_is_set(name, last[name]) for name in (*MARKS, field) if name and last.get(name) is not None]:
        return False
    content = last.get("content")
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    marked = [_of_part(part) for part in parts]
    if marked and not any(marked):
        return False
    if not all(marked):
        raise RowError(
            "messages", "has a last turn in which only some parts carry loss", "train the whole turn or none of it"
        )
    return True


def without_marks(message: Mapping[str, Any], field: str | None = None) -> dict[str, Any]:
    """The message as the template gets it. A mark is a number or a truth value; a text is not one."""
    names = (*MARKS, field)
    return {
        key: value for key, value in message.items() if key not in names or not isinstance(value, bool | int | float)
    }


def trained_earlier(messages: Any, field: str | None = None) -> bool:
    """Whether a turn before the last is explicitly marked for training, which this strategy does not do."""
    return any(
        isinstance(turn, Mapping) and any(turn.get(name) in (True, 1) for name in (*MARKS, field) if name)
        for turn in (messages[:-1] if isinstance(messages, list | tuple) else ())
    )


def _of_part(part: Mapping[str, Any]) -> bool:
    """Axolotl reads ``train`` of a part first, then ``weight``."""
    name = next((name for name in ("train", "weight") if part.get(name) is not None), None)
    return name is None or _is_set(name, part[name])


def _is_set(name: str, value: Any) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise RowError("messages", f"marks its last turn with {name}: {shown(value)}", "write true or false, or 1 or 0")
