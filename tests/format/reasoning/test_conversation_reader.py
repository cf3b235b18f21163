from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn
from axolotl_alttrain.format.reasoning.conversation_reader import conversation_from_row

USER = {"role": "user", "content": "1+1?"}
REPLY = AssistantTurn("2", "One and one.")
INLINE = "<think>\nOne and one.\n</think>\n\n2"
OPEN_THOUGHTS = (
    "<|begin_of_thought|>\n\nOne and one.\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n2\n\n<|end_of_solution|>"
)

ONE_TURN = {
    "messages, field": {"messages": [USER, {"role": "assistant", "reasoning_content": "One and one.", "content": "2"}]},
    "messages, thinking": {"messages": [USER, {"role": "assistant", "thinking": "One and one.", "content": "2"}]},
    "messages, reasoning": {"messages": [USER, {"role": "assistant", "reasoning": " One and one.", "content": "2 "}]},
    "messages, tags": {"messages": [USER, {"role": "assistant", "content": INLINE}]},
    "messages, no opening tag": {"messages": [USER, {"role": "assistant", "content": "One and one.</think>2"}]},
    "messages, padded by Arrow": {
        "messages": [{**USER, "reasoning_content": None}, {"role": "assistant", "content": INLINE, "thinking": None}],
        "problem": None,
    },
    "response": {"instruction": "1+1?", "response": INLINE},
    "R1": {"problem": "1+1?", "reasoning": "One and one.", "solution": "2"},
    "question": {"question": "1+1?", "reasoning": "One and one.", "answer": "2"},
    "prompt": {"prompt": "1+1?", "thinking": "One and one.", "completion": "2"},
    "medical-o1": {"Question": "1+1?", "Complex_CoT": "One and one.", "Response": "2"},
    "OpenThoughts, metadata": {
        "problem": "1+1?", "deepseek_reasoning": "One and one.", "deepseek_solution": "2",
    },
    "s1K": {"question": "1+1?", "thinking_trajectories": ["One and one."], "attempt": "2"},
    "ShareGPT": {"conversations": [{"from": "human", "value": "1+1?"}, {"from": "gpt", "value": INLINE}]},
    "OpenThoughts": {
        "conversations": [{"from": "user", "value": "1+1?"}, {"from": "assistant", "value": OPEN_THOUGHTS}],
    },
}  # fmt: skip


@pytest.mark.parametrize("row", ONE_TURN.values(), ids=ONE_TURN)
def test_one_turn_in_every_shape(row: dict[str, Any]) -> None:
    found = conversation_from_row(row)
    assert found.turns == (USER, REPLY)
    assert found.unread == ()


def test_system_columns_history_and_input_are_part_of_the_prompt() -> None:
    system = {"role": "system", "content": "Be brief."}
    open_thoughts = {"system": "Be brief.", **ONE_TURN["OpenThoughts"]}
    assert conversation_from_row(open_thoughts).turns == (system, USER, REPLY)
    row = {**ONE_TURN["response"], "system": "Be brief.", "input": "In words.", "history": [["Hi", "Hello"]]}
    assert conversation_from_row(row).turns == (
        system,
        {"role": "user", "content": "Hi"},
        AssistantTurn("Hello"),
        {"role": "user", "content": "1+1?\n\nIn words."},
        REPLY,
    )


def test_earlier_turns_tools_and_marks() -> None:
    call = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {
        "name": "add", "arguments": {"a": 1, "minutes": None}}}]}  # fmt: skip
    result = {"role": "tool", "content": "2", "name": None}
    first = {"role": "assistant", "content": INLINE, "train": False}
    row = {
        "messages": [USER, first, USER, call, result, {"role": "assistant", "content": INLINE}],
        "tools": [{"type": "function", "function": {"name": "add"}}],
    }
    found = conversation_from_row(row)
    assert found.turns[1] == AssistantTurn("2", "One and one.", trained=False)
    assert found.turns[3]["tool_calls"][0]["function"]["arguments"] == {"a": 1}  # type: ignore[index]
    assert found.turns[4] == {"role": "tool", "content": "2"}
    assert found.tools == ({"type": "function", "function": {"name": "add"}},)
    assert found.last == REPLY


def test_a_solution_beside_a_model_s_own_is_unread_and_named() -> None:
    row = {**ONE_TURN["OpenThoughts, metadata"], "solution": "two", "domain": "math", "id": 7}
    found = conversation_from_row(row)
    assert (found.last, found.unread, found.id) == (REPLY, ("domain", "solution"), "7")


@pytest.mark.parametrize("reply", ["2", "<think>\n\n</think>\n\n2"])
def test_a_row_without_a_thought_has_none(reply: str) -> None:
    row = {"messages": [USER, {"role": "assistant", "content": reply}]}
    assert conversation_from_row(row).last == AssistantTurn("2", None)


REFUSED = {
    "no shape": ({"text": "x"}, "the row has the columns text, which is not a shape of reasoning data"),
    "no answer": ({"messages": [USER, USER]}, "field 'messages' ends with a turn of role 'user'"),
    "thought twice": (
        {"problem": "1+1?", "reasoning": "One.", "solution": INLINE},
        "field 'solution' gives a thought more than once: as reasoning_content and in tags",
    ),
    "no end of the thought": (
        {"instruction": "1+1?", "response": "<think>One and one. 2"},
        "field 'response' has 1 <think> and 0 </think>",
    ),
    "markers": (
        {"instruction": "1+1?", "response": "<|begin_of_thought|>One and one. 2"},
        "field 'response' does not have one thought between <|begin_of_thought|> and <|end_of_thought|>",
    ),
    "no text after the thought": (
        {"instruction": "1+1?", "response": "<think>One</think>  "},
        "field 'response' has an assistant turn without an answer",
    ),
    "calls last": (
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"function": {"name": "add"}}]}]},
        "field 'messages' ends with tool calls",
    ),
    "unknown role": (
        {"conversations": [{"from": "human", "value": "1+1?"}, {"from": "function_call", "value": "{}"}]},
        "field 'conversations' has a turn 2 from 'function_call'",
    ),
    "number": ({"problem": "1+1?", "reasoning": "One.", "solution": 2}, "field 'solution' is the int 2"),
}


@pytest.mark.parametrize(("row", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_field(row: dict[str, Any], message: str) -> None:
    with pytest.raises(RowError) as error:
        conversation_from_row(row)
    assert str(error.value).startswith(message)
