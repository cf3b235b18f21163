"""The rows of a data set as they are trained: in the thinking mode, in the non-thinking mode, or in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.reading.texts_in_prompt import missing_texts
from axolotl_alttrain.format.reasoning.conversation import Conversation, without_thought
from axolotl_alttrain.format.reasoning.conversation_reader import conversation_from_row
from axolotl_alttrain.format.reasoning.earlier_turns import learn_earlier_turns
from axolotl_alttrain.format.reasoning.off_mode import learn_off_mode
from axolotl_alttrain.format.reasoning.pieces import ConversationFormat, Piece
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.template import ChatFormat

Thinking = Literal["on", "off", "both"]
ReasoningTurns = Literal["last", "all"]


@dataclass(frozen=True)
class TrainedRow:
    """One row in one mode.

    Attributes:
        example: What it is; None if it is left out.
        pieces: Its pieces in order: a prompt, a completion, and so on.
        unread: Fields that are neither trained nor part of the prompt; of a row's first mode only.
    """

    example: AltTrainExample | Conversation | None
    pieces: list[Piece]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowRenderer:
    """Renders the rows of one data set.

    Attributes:
        reader: Reads AltTrain rows, and knows the names that the entry gives.
        reasoning: Whether the rows are ordinary reasoning data; otherwise they have the AltTrain structure.
        on: The thinking mode; None if it is not trained.
        off: The non-thinking mode; None if it is not trained.
    """

    reader: RowReader
    reasoning: bool
    on: ConversationFormat | None
    off: ConversationFormat | None = None

    @property
    def notes(self) -> list[str]:
        """What the user should know, one sentence each."""
        found = []
        if self.reasoning and self.on is not None:
            found.append(self.on.earlier.sentence)
        if self.off is not None:
            kwargs = dict(self.off.chat.kwargs)
            times = "each row is trained twice, with thinking and without" if self.on else "answers alone are trained"
            found.append(f"Non-thinking mode, rendered with {kwargs}: {times}.")
        return found

    def __call__(self, row: Mapping[str, Any]) -> list[TrainedRow]:
        """One row in each mode; none if its marks take its last turn out of the loss.

        Raises:
            RowError: The row is not valid.
            TemplateError: The template rejects its turns.
        """
        return self._reasoning(row) if self.reasoning else self._alttrain(row)

    def _reasoning(self, row: Mapping[str, Any]) -> list[TrainedRow]:
        read = conversation_from_row(self.reader.keys.apply(row))
        found: list[TrainedRow] = []
        if not read.last.trained:
            return found
        # There is no thought to train in a row without one; with an `off` mode, it is trained there alone.
        if self.on is not None and (read.last.thought is not None or self.off is None):
            found.append(TrainedRow(read, self.on.render(read), read.unread))
        if self.off is not None:
            unread = () if found else read.unread
            found.append(TrainedRow(replace(read, mode="off"), self.off.render(read), unread))
        return found

    def _alttrain(self, row: Mapping[str, Any]) -> list[TrainedRow]:
        read = self.reader(row)
        example = read.example
        found: list[TrainedRow] = []
        if example is None:
            return found
        if self.on is not None:
            chat = self.on.chat
            prompt, completion = chat.render(example)
            parts = tuple((name, text) for name, text in example.pieces(chat.thought_of(example)) if text)
            unread = (*read.unread, *missing_texts(example, prompt, completion))
            found.append(TrainedRow(example, [Piece((("prompt", prompt),), False), Piece(parts, True)], unread))
        if self.off is not None:
            conversation = without_thought(example)
            unread = () if found else read.unread
            found.append(TrainedRow(conversation, self.off.render(conversation), unread))
        return found


def row_renderer(
    chat: ChatFormat, reader: RowReader, reasoning: bool, thinking: Thinking = "on", turns: ReasoningTurns = "last"
) -> RowRenderer:
    """The renderer of a data set's rows.

    Args:
        chat: The format of the thinking mode.
        reader: Reads AltTrain rows, and knows the names that the entry gives.
        reasoning: Whether the rows are ordinary reasoning data.
        thinking: The modes.
        turns: Which assistant turns of reasoning data are trained.

    Raises:
        TemplateError: The template has no non-thinking mode.
    """
    earlier = learn_earlier_turns(chat)
    on = ConversationFormat(chat, earlier, turns == "all") if thinking != "off" else None
    if thinking == "on":
        return RowRenderer(reader, reasoning, on)
    return RowRenderer(
        reader, reasoning, on, ConversationFormat(learn_off_mode(chat), earlier, turns == "all", thinks=False)
    )


def thinking_option(value: Any) -> Thinking:
    """The option ``thinking``; YAML 1.1 reads a plain ``on`` and ``off`` as booleans.

    Raises:
        AltTrainError: It is none of the three.
    """
    found = {True: "on", False: "off", None: "on"}[value] if value is None or isinstance(value, bool) else value
    if found not in get_args(Thinking):
        raise AltTrainError(f"alttrain: thinking: found {value!r}; allowed: {', '.join(get_args(Thinking))}")
    return cast(Thinking, found)
