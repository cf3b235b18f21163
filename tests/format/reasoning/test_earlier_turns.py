"""What templates do with the thoughts of earlier turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from axolotl_alttrain.format.reasoning.conversation import AssistantTurn
from axolotl_alttrain.format.reasoning.earlier_turns import EarlierTurns, learn_earlier_turns
from axolotl_alttrain.format.template import ChatFormat, learn_format

from .conftest import SHOWS_ALL


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shows all", EarlierTurns("shown", "reasoning_content")),
        ("axolotl_chatml", EarlierTurns("as sent")),
        ("trl_qwen3", EarlierTurns("dropped", "reasoning_content")),
        ("deepseek_r1_distill", EarlierTurns("dropped")),
    ],
)
def test_what_a_template_does_with_earlier_thoughts(
    learned: Callable[[str], ChatFormat], name: str, expected: EarlierTurns
) -> None:
    assert learn_earlier_turns(learned(name)) == expected


def test_a_template_that_writes_earlier_thoughts_otherwise_than_the_model(smollm2: Any) -> None:
    source = SHOWS_ALL.replace("<think>\n", "{% if loop.last %}<think>{% else %}<think>(earlier){% endif %}\n")
    assert learn_earlier_turns(learn_format(smollm2, source)) == EarlierTurns("as sent")


@pytest.mark.parametrize(
    ("earlier", "every", "fields"),
    [
        (EarlierTurns("shown", "thinking"), False, {"content": "2", "thinking": "T"}),
        (EarlierTurns("dropped"), True, {"content": "2"}),
        (EarlierTurns("as sent"), False, {"content": "2"}),
        (EarlierTurns("as sent"), True, {"content": "<think>\nT\n</think>\n\n2"}),
    ],
)
def test_earlier_turns_as_the_template_gets_them(
    smollm2: Any, earlier: EarlierTurns, every: bool, fields: dict[str, str]
) -> None:
    user = {"role": "user", "content": "1+1?"}
    turns = [user, AssistantTurn("2"), AssistantTurn("2", "T")]
    assert earlier.messages(learn_format(smollm2), turns, every) == [
        user,
        {"role": "assistant", "content": "2"},
        {"role": "assistant", **fields},
    ]
