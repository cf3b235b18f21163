"""The shapes in which chat templates take the content of a message: text, a list of parts, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import RowError, shown
from axolotl_alttrain.format.example import Message


@dataclass(frozen=True)
class Shape:
    """How a template takes the content of messages.

    Attributes:
        name: ``text``, ``parts`` or ``blocks``.
    """

    name: str

    def __call__(self, message: Message) -> dict[str, Any]:
        """The message with a text as content brought into this shape; other contents are left alone."""
        content = message.get("content")
        if self.name == "text" or not isinstance(content, str):
            return dict(message)
        part = {"type": "text", "text": content}
        if self.name == "parts":
            return {**message, "content": [part]}
        if message.get("role") == "assistant":
            return {**message, "content": {"blocks": [{"type": "response", "text": content}]}}
        return {**message, "content": {"parts": [part]} if message.get("role") == "user" else {"text": content}}


TEXT = Shape("text")
SHAPES = (TEXT, Shape("parts"), Shape("blocks"))


def with_text(message: Message, number: int) -> Message:
    """The message with its content as one text.

    Raises:
        RowError: A part is not text.
    """
    parts = message.get("content")
    if not isinstance(parts, list):
        return message
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        if not isinstance(text, str):
            problem = f"has in message {number} the part {shown(part)}, and the chat template takes text only"
            raise RowError("instruction", problem, "use text parts")
        texts.append(text)
    return {**message, "content": "\n".join(texts)}
