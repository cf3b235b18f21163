"""What a choice of an OpenAI-compatible server says, in whichever of the known forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Other words mean that the model ended its turn: stop, eos, eos_token, end, end_turn, stop_sequence, null.
_LIMIT = ("length", "max_tokens", "model_length")
_FILTER = "content_filter"
FILTERED = "I can't help with that. [The server's content filter withheld the answer.]"

Finish = Literal["stop", "length", "filtered"]


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        text: The answer, or the refusal that the server states beside it.
        thought: From the fields in which servers separate it; empty if they do not.
        finish: ``length`` if it was cut off at the token limit, ``filtered`` if the server's filter withheld the
            answer or its rest, otherwise ``stop``.
    """

    text: str
    thought: str
    finish: Finish


def reply(choice: Any) -> Reply:
    """Read a choice of ``/chat/completions`` or ``/completions``.

    Surrogates are replaced: a lone one is valid in JSON but not in a UTF-8 file.
    """
    message = getattr(choice, "message", None)
    finish: Finish = "length" if choice.finish_reason in _LIMIT else "stop"
    if choice.finish_reason == _FILTER:
        finish = "filtered"
    if message is None:
        return Reply(_clean(choice.text), "", finish)
    text, thought = _parts(message.content)
    thought = next(
        (found for name in ("reasoning_content", "reasoning") if (found := _parts(getattr(message, name, None))[0])),
        thought,
    )
    refusal, _ = _parts(getattr(message, "refusal", None))
    if not text.strip():
        text = refusal or (FILTERED if finish == "filtered" else text)
    return Reply(_clean(text), _clean(thought), finish)


def _parts(content: Any) -> tuple[str, str]:
    """Text and thought of a content: a text, nothing, or a list of parts, each an object with its ``type``."""
    if isinstance(content, str):
        return content, ""
    texts, thoughts = [], []
    for part in content if isinstance(content, Sequence) else ():
        part = {"text": part} if isinstance(part, str) else part
        if not isinstance(part, Mapping):
            continue
        kind = str(part.get("type", "text"))
        if kind in ("thinking", "reasoning"):
            thoughts.append(_parts(part.get(kind) or part.get("text"))[0])
        else:  # text, output_text, refusal
            texts.append(_parts(part.get("text") or part.get("refusal"))[0])
    return "".join(texts), "".join(thoughts)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
