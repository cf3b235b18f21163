from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.data.screening.trace_faults import find_fault
from axolotl_alttrain.data.traces.trace import Trace

THOUGHT = "Okay, the user asks for a recipe.\n\nFlour, eggs and milk make a batter."


def fault(thought: str = THOUGHT, answer: str = "Mix flour, eggs and milk.") -> Any:
    found = find_fault(Trace("1", "Pancakes?", thought, answer, "benign", None, "s", "en"))
    return found[0] if found else None


@pytest.mark.parametrize(
    "answer",
    [
        "Mix flour, eggs and milk.", "42", "x = 5", "- eggs\n- fresh milk", "```python\nprint(1)\n```", "混ぜます",
        "| a | b |\n|---|---|\n| 1 | 2 |", "Paris", "**Answer:** yes",
    ],
)  # fmt: skip
def test_good_answers_pass(answer: str) -> None:
    assert fault(answer=answer) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"thought": "  "}, "no_thought"),
        ({"answer": "\n "}, "no_answer"),
        ({"answer": "```python\nprint(1)"}, "unfinished"),
        ({"answer": "Mix the flour and the"}, "unfinished"),
        ({"answer": "First, mix flour,"}, "unfinished"),
        ({"answer": "The way is " + "to mix and stir the batter well " * 2 + "until every small lump in it dissol"},
         "unfinished"),
        ({"thought": THOUGHT + "\nWait, let me check that once more." * 10}, "repetitive"),
        ({"thought": "I need to check the sum of it and then the rest of it again. " * 12}, "repetitive"),
        ({"answer": "我需要再检查一遍这个答案是否正确。" * 12}, "repetitive"),
    ],
)  # fmt: skip
def test_faults(change: dict[str, str], reason: str) -> None:
    assert fault(**change) == reason


def test_reasoning_that_checks_itself_passes() -> None:
    steps = "\n".join(f"Step {n}: {n} times 7 is {7 * n}, and adding {n} gives {8 * n}." for n in range(30))
    assert fault(thought=steps + "\nLet me check: " + steps[:200]) is None
