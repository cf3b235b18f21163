"""How a chat template shows the assistant's earlier turns: as the model wrote them, or without their thoughts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.probing.template_names import template_names
from axolotl_alttrain.format.probing.thought_turns import ANSWER, THOUGHT, USER
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn, Turn
from axolotl_alttrain.format.template import ChatFormat

_KEYS = ("reasoning_content", "thinking", "reasoning")
_NEXT = "alttrainnextturn"


@dataclass(frozen=True)
class EarlierTurns:
    """What a template does with the thought of an assistant turn that another user turn follows.

    Attributes:
        kind: ``shown``: it writes the turn as the model wrote it, from a field; ``as sent``: it writes the content
            as it stands, so the thought is there if the client sends it; ``dropped``: it writes the answer alone, or
            writes the turn otherwise than the model.
        key: The message key in which the template takes a thought, if it has one.
    """

    kind: Literal["shown", "as sent", "dropped"]
    key: str | None = None

    @property
    def sentence(self) -> str:
        """What this means for the loss."""
        if self.kind == "shown":
            return "The template shows thoughts of earlier turns: every assistant turn can be trained."
        if self.kind == "as sent":
            return (
                "The template shows earlier turns as they are sent: with 'reasoning_turns: all' their thoughts stay in "
                "and are trained, otherwise they are left out, as servers do that return the thought apart."
            )
        return (
            "The template does not show earlier turns as the model writes them: of turns before the user's last, none "
            "is trained."
        )

    def messages(self, chat: ChatFormat, turns: Sequence[Turn], every: bool) -> list[Message]:
        """Earlier turns as the template gets them.

        Args:
            chat: The learned format.
            turns: All turns before the one that is rendered as a completion.
            every: Whether every assistant turn is to be trained.
        """
        return [self._message(chat, turn, every) if isinstance(turn, AssistantTurn) else turn for turn in turns]

    def _message(self, chat: ChatFormat, turn: AssistantTurn, every: bool) -> Message:
        if turn.thought is None:
            return {"role": "assistant", "content": turn.answer}
        if self.kind == "as sent" and every:
            return {"role": "assistant", "content": inline(chat, turn.thought, turn.answer)}
        message = {"role": "assistant", "content": turn.answer}
        return {**message, self.key: turn.thought} if self.key else message


def inline(chat: ChatFormat, thought: str, answer: str) -> str:
    """A turn's whole text, with the opening that the prompt may already have written."""
    form = chat.thought
    return f"{form.open or form.prompt_open}{thought}{form.close}{answer}"


def learn_earlier_turns(chat: ChatFormat) -> EarlierTurns:
    """Ask the template, with markers in place of the texts."""
    user, later = {"role": "user", "content": USER}, {"role": "user", "content": _NEXT}
    form = chat.thought
    written = chat.prompt([user]) + f"{form.open}{THOUGHT}{form.close}{ANSWER}{form.end}"
    read = [key for key in _KEYS if key in template_names(chat.chat_template).keys]
    for kind, key, turn in _forms(chat, read):
        history = chat.renderer.tried([user, turn, later], True)
        if history is not None and history.startswith(written) and _NEXT in history[len(written) :]:
            return EarlierTurns(kind, key)
    return EarlierTurns("dropped", read[0] if read else None)


def _forms(chat: ChatFormat, keys: Sequence[str]) -> Iterator[tuple[Literal["shown", "as sent"], str | None, Message]]:
    for key in keys:
        yield "shown", key, {"role": "assistant", "content": ANSWER, key: THOUGHT}
    yield "as sent", None, {"role": "assistant", "content": inline(chat, THOUGHT, ANSWER)}
