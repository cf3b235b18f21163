from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError, shown
from axolotl_alttrain.format.reasoning.conversation import AssistantTurn
from axolotl_alttrain.format.reasoning.conversation_columns import SHAPES, read_columns
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


def test_columns_become_messages() -> None:
    columns = read_columns(ONE_TURN["medical-o1"])
    assert columns.messages == [USER, {"role": "assistant", "content": "2", "reasoning_content": "One and one."}]
    assert (columns.field, columns.read) == ("Response", ("Question", "Complex_CoT", "Response"))


def test_a_role_of_messages_stands_before_that_of_sharegpt() -> None:
    row = {"messages": [USER | {"from": "gpt"}, {"role": "assistant", "content": INLINE}]}
    assert conversation_from_row(row).turns == (USER | {"from": "gpt"}, REPLY)


@pytest.mark.parametrize(
    ("mark", "trained"),
    [({"train": False}, False), ({"weight": 0}, False), ({"train": True}, True), ({"weight": 1}, True)],
)
def test_marks_of_loss(mark: dict[str, Any], trained: bool) -> None:
    row = {"messages": [USER, {"role": "assistant", "content": INLINE, **mark}]}
    assert conversation_from_row(row).last.trained is trained


def test_parts_of_an_answer_are_joined() -> None:
    parts = ["<think>One and one.</think>", {"type": "text", "text": "2"}]
    row = {"messages": [USER, {"role": "assistant", "content": parts}]}
    assert conversation_from_row(row).last == AssistantTurn("2", "One and one.")


ENDING = "end it with the assistant's answer"
ONCE = "write one thought before the answer"
ROLE = "give every turn a role and a text"
LIST = "list at least a user turn and the assistant's answer"
MARKERS = "<|begin_of_thought|> and <|end_of_thought|>"


CROSSED = "<|begin_of_thought|>a<|begin_of_solution|>b<|end_of_thought|>2"


def answered(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER, {"role": "assistant", "content": "2", **fields}]}


REFUSED = {
    "no shape": (
        {"text": "x", "id": 1},
        f"the row has the columns id, text, which is not a shape of reasoning data; use {SHAPES}",
    ),
    "no answer column": (
        {"problem": "1+1?"},
        f"the row has the columns problem, which is not a shape of reasoning data; use {SHAPES}",
    ),
    "a number as question": (
        {"problem": 3, "reasoning": "One.", "solution": "2"},
        "field 'problem' is the int 3; write one text",
    ),
    "solution inside the thought": (
        answered(content=CROSSED),
        f"field 'messages' does not have one thought between {MARKERS} ({shown(CROSSED)}); {ONCE}",
    ),
    "text before the thought": (
        answered(content=f"Hm. {OPEN_THOUGHTS}"),
        f"field 'messages' does not have one thought between {MARKERS} ({shown(f'Hm. {OPEN_THOUGHTS}')}); {ONCE}",
    ),
    "nothing": ({"text": None}, f"the row has no columns, which is not a shape of reasoning data; use {SHAPES}"),
    "no list": ({"messages": "Hi"}, f"field 'messages' is 'Hi'; {LIST}"),
    "one turn": ({"conversation": [USER]}, f"field 'conversation' is the list [{USER}]; {LIST}"),
    "no turn": ({"messages": [USER, "2"]}, f"field 'messages' has '2' as turn 2; {ROLE}"),
    "no role": (
        {"messages": [USER, {"content": "2"}]},
        f"field 'messages' has no role in turn 2, dict {{'content': '2'}}; {ROLE}",
    ),
    "no answer": ({"messages": [USER, USER]}, f"field 'messages' ends with a turn of role 'user'; {ENDING}"),
    "input beside turns": (
        {"conversations": [USER, {"role": "assistant", "content": "2"}], "input": "x"},
        "field 'input' is given beside a conversation in 'conversations'; move it into 'conversations' or remove it",
    ),
    "content": (
        answered(content=3),
        "field 'messages' has an assistant turn whose content is the int 3; write a string",
    ),
    "two keys": (
        answered(reasoning_content="One.", thinking="Two."),
        "field 'messages' gives a thought more than once: as reasoning_content, thinking; keep one of them",
    ),
    "a thought that is no text": (
        answered(thinking=["One."]),
        "field 'messages' has no text as its thought, but list ['One.']; write the thought",
    ),
    "a number as thought": ({"problem": "1+1?", "cot": 1, "answer": "2"}, "field 'cot' is the int 1; write one text"),
    "two solutions": (
        answered(content=OPEN_THOUGHTS + "<|begin_of_solution|>"),
        f"field 'messages' does not have one thought between {MARKERS} "
        f"('<|begin_of_thought|>\\n\\nOne and one.\\n\\n<|end_of_thought|>…); {ONCE}",
    ),
    "text outside the solution": (
        answered(content=OPEN_THOUGHTS + "Bye."),
        "field 'messages' has text outside <|begin_of_solution|>; move it into the answer",
    ),
    "thought twice": (
        {"problem": "1+1?", "reasoning": "One.", "solution": INLINE},
        "field 'solution' gives a thought more than once: as reasoning_content and in tags; keep one of them",
    ),
    "no end of the thought": (
        {"instruction": "1+1?", "response": "<think>One and one. 2"},
        "field 'response' has 1 <think> and 0 </think> ('<think>One and one. 2'); write one thought before the answer "
        "and close it with one </think>",
    ),
    "markers": (
        {"instruction": "1+1?", "response": "<|begin_of_thought|>One and one. 2"},
        f"field 'response' does not have one thought between {MARKERS} ('<|begin_of_thought|>One and one. 2'); {ONCE}",
    ),
    "no text after the thought": (
        {"instruction": "1+1?", "response": "<think>One</think>  "},
        "field 'response' has an assistant turn without an answer; write the answer after the thought",
    ),
    "calls last": (
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"function": {"name": "add"}}]}]},
        f"field 'messages' ends with tool calls; {ENDING}",
    ),
    "unknown role": (
        {"conversations": [{"from": "human", "value": "1+1?"}, {"from": "function_call", "value": "{}"}]},
        "field 'conversations' has a turn 2 from 'function_call'; use one of human, user, gpt, assistant, model, "
        "system, tool, observation, function_response; write tool calls as 'tool_calls'",
    ),
    "number": (
        {"problem": "1+1?", "reasoning": "One.", "solution": 2},
        "field 'solution' is the int 2; write one text",
    ),
}


@pytest.mark.parametrize(("row", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_field(row: dict[str, Any], message: str) -> None:
    with pytest.raises(RowError) as error:
        conversation_from_row(row)
    assert str(error.value) == message
