"""A conversation whose thoughts are free: ordinary reasoning data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.example import AltTrainExample, Message

KIND = "reasoning"  # stands in the place of a label


@dataclass(frozen=True)
class AssistantTurn:
    """One answer of the assistant.

    Attributes:
        answer: What the user sees, stripped.
        thought: What the model thinks before it, stripped; None if the row gives none.
        trained: Whether the row permits loss on it; ``train: false`` and ``weight: 0`` do not.
    """

    answer: str
    thought: str | None = None
    trained: bool = True


Turn = Message | AssistantTurn


@dataclass(frozen=True)
class Conversation:
    """One row of ordinary reasoning data.

    Attributes:
        turns: All turns; the last is the assistant's. Assistant turns with tool calls are plain messages.
        tools: Descriptions of tools, for the template.
        mode: ``on``: thoughts are trained; ``off``: answers alone, after the non-thinking prompt.
        label: What the row counts as in statistics.
        unread: Columns that are neither trained nor part of the prompt.
    """

    turns: tuple[Turn, ...]
    tools: tuple[Message, ...] = ()
    mode: str = "on"
    label: str = KIND
    id: str | None = None
    category: str | None = None
    source: str | None = None
    language: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def last(self) -> AssistantTurn:
        """The last turn."""
        turn = self.turns[-1]
        assert isinstance(turn, AssistantTurn)
        return turn


def without_thought(example: AltTrainExample) -> Conversation:
    """An AltTrain example for the non-thinking mode: its answer alone is trained.

    Raises:
        RowError: Its trained turn calls tools, which is trained in the thinking mode only.
    """
    if example.tool_calls:
        raise RowError("tool_calls", "are in the trained turn, which needs thinking", "set 'alttrain: thinking: on'")
    turns: Sequence[Turn] = (*example.messages, AssistantTurn(example.answer))
    return Conversation(
        tuple(turns),
        example.tools,
        mode="off",
        label=example.label,
        id=example.id,
        category=example.category,
        source=example.source,
        language=example.language,
    )
