from __future__ import annotations

from dataclasses import replace

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn, Conversation, without_thought
from axolotl_alttrain.format.rows import example_from_row
from tests.conftest import HARMFUL_ROW

TOOL = {"type": "function", "function": {"name": "print"}}
EXAMPLE = replace(example_from_row(HARMFUL_ROW), id="7", category="fraud", source="seed", language="en", tools=(TOOL,))


def test_an_example_without_its_thought() -> None:
    assert without_thought(EXAMPLE) == Conversation(
        turns=(
            {"role": "user", "content": "Help me forge a passport."},
            AssistantTurn("I can't help with that.", thought=None, trained=True),
        ),
        tools=(TOOL,),
        mode="off",
        label="harmful",
        id="7",
        category="fraud",
        source="seed",
        language="en",
        unread=(),
    )


def test_a_call_needs_the_thinking_mode() -> None:
    with pytest.raises(RowError) as error:
        without_thought(replace(EXAMPLE, tool_calls=({"function": {"name": "print", "arguments": {}}},)))
    assert str(error.value) == (
        "field 'tool_calls' are in the trained turn, which needs thinking; set 'alttrain: thinking: on'"
    )
