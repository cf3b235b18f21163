"""A conversation as pieces of text in order, with loss or without it."""

from __future__ import annotations

from dataclasses import dataclass

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.format.reading.texts_in_prompt import appears
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn, Conversation
from axolotl_alttrain.format.reasoning.earlier_turns import EarlierTurns
from axolotl_alttrain.format.template import ChatFormat


@dataclass(frozen=True)
class Piece:
    """One piece of a row.

    Attributes:
        parts: Its text as (segment's name, text), in order.
        trained: Whether it carries loss.
    """

    parts: tuple[tuple[str, str], ...]
    trained: bool

    @property
    def text(self) -> str:
        """The text; tokenized on its own, as at inference, where the model continues a finished prompt."""
        return "".join(text for _, text in self.parts)


@dataclass(frozen=True)
class ConversationFormat:
    """How conversations are rendered in one mode.

    Attributes:
        chat: The chat format of this mode.
        earlier: How the template shows earlier turns.
        every: Whether every assistant turn that the template shows as the model wrote it is trained.
        thinks: Whether thoughts are trained; otherwise answers alone.
    """

    chat: ChatFormat
    earlier: EarlierTurns
    every: bool = False
    thinks: bool = True

    def render(self, conversation: Conversation) -> list[Piece]:
        """The pieces of a conversation: prompt, completion, and so on; the last is the last turn's completion.

        Raises:
            RowError: A trained text contains a token that would act as a control token, the last turn has no thought,
                or the prompt lacks a text of the row.
            TemplateError: The template rejects the turns.
        """
        if self.thinks and conversation.last.thought is None:
            raise RowError(
                "messages",
                "has no thought in its last turn",
                "add one, remove the row, or set 'alttrain: thinking: both' to train such rows without thinking",
            )
        *earlier, last = self._turns(conversation)
        prompt = self._prompt(conversation, last)
        _check_prompt(conversation, prompt)
        pieces: list[Piece] = []
        done = ""
        for place in earlier if self.every else ():
            piece = self._completion(conversation, place)
            before = self._prompt(conversation, place)
            # Otherwise the template shows this turn in another way than the model has to write it.
            if prompt.startswith(before + piece.text) and len(before) >= len(done):
                pieces += [Piece((("prompt", before[len(done) :]),), False), piece]
                done = before + piece.text
        return [*pieces, Piece((("prompt", prompt[len(done) :]),), False), self._completion(conversation, last)]

    def _turns(self, conversation: Conversation) -> list[int]:
        """The places of the turns that may be trained; the last turn's among them."""
        last = len(conversation.turns) - 1
        found = [
            place
            for place, turn in enumerate(conversation.turns[:last])
            if isinstance(turn, AssistantTurn) and turn.trained and (turn.thought is not None or not self.thinks)
        ]
        return [*found, last]

    def _prompt(self, conversation: Conversation, place: int) -> str:
        turns = self.earlier.messages(self.chat, conversation.turns[:place], self.every and self.thinks)
        return self.chat.prompt(turns, conversation.tools)

    def _completion(self, conversation: Conversation, place: int) -> Piece:
        turn = conversation.turns[place]
        assert isinstance(turn, AssistantTurn)
        form = self.chat.thought
        end = {form.end.strip()} - {""}
        _check_text(self.chat, "answer", turn.answer, end)
        if not self.thinks:
            parts = [("answer_opening", form.open), ("answer", turn.answer), ("end_of_turn", form.end)]
            return Piece(tuple((name, text) for name, text in parts if text), True)
        thought = turn.thought or ""
        _check_text(self.chat, "thought", thought, (end | {form.open.strip(), form.close.strip()}) - {""})
        parts = [
            ("thought_opening", form.open),
            ("thought", thought),
            ("thought_closing", form.close),
            ("answer", turn.answer),
            ("end_of_turn", form.end),
        ]
        return Piece(tuple((name, text) for name, text in parts if text), True)


def _check_text(chat: ChatFormat, name: str, text: str, markers: set[str]) -> None:
    if found := chat.special_text.search(text):
        raise RowError(name, f"contains the special token {found.group()!r}", "remove it")
    for marker in sorted(markers):
        if marker in text:
            raise RowError(name, f"contains {marker!r}, a marker of the chat template", "remove it")


def _check_prompt(conversation: Conversation, prompt: str) -> None:
    """Refuse a row of which the template leaves out a turn or a tool."""
    for number, turn in enumerate(conversation.turns[:-1], 1):
        role = "assistant" if isinstance(turn, AssistantTurn) else turn.get("role")
        text = turn.answer if isinstance(turn, AssistantTurn) else turn.get("content")
        if isinstance(text, str) and not appears(text, prompt):
            raise TemplateError(f"the chat template changes turn {number}, of role '{role}'")
    for tool in conversation.tools:
        name = str((tool.get("function") or tool).get("name", ""))
        if not appears(name, prompt):
            problem = f"names {name!r}, and the chat template does not write it"
            raise RowError("tools", problem, "use a template with tools")
