from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.reading.entry_keys import HONOURED, LOADING, REFUSED, EntryKeys, check_entry


def test_every_key_of_axolotls_entries_is_classified() -> None:
    from axolotl.utils.schemas.datasets import SFTDataset

    assert set(SFTDataset.model_fields) - LOADING - HONOURED - set(REFUSED) == set()
    assert len(LOADING | HONOURED | set(REFUSED)) == len(LOADING) + len(HONOURED) + len(REFUSED)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("roles_to_train", ["assistant", "user"]),
        ("train_on_eos", "all"),
        ("train_on_eot", "none"),
        ("message_field_training_detail", "train_detail"),
        ("default_system_message", "Be kind."),
        ("eot_tokens", ["<|im_end|>"]),
        ("field_human", "q"),
        ("no_such_key", 1),
    ],
)
def test_keys_without_effect_are_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(AltTrainError, match=f"^datasets: mine.jsonl: '{key}' has no effect with 'type: alttrain': "):
        check_entry({"path": "mine.jsonl", "type": "alttrain", key: value})


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("field", "it is for 'type: completion'; remove the key"),
        ("fields", "neither Axolotl nor this strategy knows the key; correct or remove it"),
    ],
)
def test_the_reason_is_the_keys_own(key: str, reason: str) -> None:
    with pytest.raises(AltTrainError) as error:
        check_entry({"path": "x", key: "y"})
    assert str(error.value) == f"datasets: x: '{key}' has no effect with 'type: alttrain': {reason}"


def test_keys_that_say_what_happens_anyway_are_accepted() -> None:
    check_entry({"path": "x", "roles_to_train": ["assistant"], "train_on_eos": "turn", "train_on_eot": "last"})
    check_entry({"path": "x", "field_human": None, "split_thinking": True, "drop_system_message": False})


def test_rows_are_read_under_the_names_that_the_entry_gives() -> None:
    keys = EntryKeys.of(
        {
            "field_messages": "turns",
            "field_tools": "functions_json",
            "field_thinking": "cot",
            "message_property_mappings": {"role": "from", "content": "value"},
            "roles": {"user": ["person"], "assistant": ["bot"]},
            "drop_system_message": True,
        }
    )
    turns = [
        {"from": "system", "value": "S"},
        {"from": "person", "value": "Hi", "cot": None},
        {"from": "bot", "value": "Hello", "cot": "T"},
    ]
    assert keys.apply({"turns": turns, "functions_json": "[]", "id": 1}) == {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello", "reasoning_content": "T"},
        ],
        "tools": "[]",
        "id": 1,
    }


def test_the_roles_of_sharegpt_need_no_key_and_the_old_names_of_fields_hold() -> None:
    keys = EntryKeys.of({"message_field_role": "from", "message_field_content": "value"})
    row = {"messages": '[{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]'}
    assert keys.apply(row) == {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    }
    turns = [{"from": "human", "value": "Hi"}]
    assert keys.apply({"history": turns, "system": "S"}) == {
        "history": [{"role": "user", "content": "Hi"}],
        "system": "S",
    }
    assert EntryKeys.of({"drop_system_message": True}).apply({"instruction": "Hi", "system": "S"}) == {
        "instruction": "Hi"
    }
    plain = {"instruction": "Hi"}
    assert keys.apply(plain) is plain


def test_the_template_may_name_the_thought() -> None:
    assert EntryKeys.of({"template_thinking_key": "thinking"}).properties == ()
    assert EntryKeys.of({"template_thinking_key": "thinking", "field_thinking": "cot"}).properties == (
        ("thinking", "cot"),
    )


def test_a_column_under_the_usual_name_beside_the_given_one_is_kept_apart() -> None:
    keys = EntryKeys.of({"field_messages": "turns", "field_tools": "functions"})
    row = {"turns": "[]", "messages": "m", "functions": ["f"], "tools": ["t"]}
    assert keys.apply(row) == {
        "messages": [],
        "tools": ["f"],
        "messages beside turns": "m",
        "tools beside functions": ["t"],
    }


def test_turns_in_other_columns_and_columns_under_other_names() -> None:
    turns = [{"from": "human", "value": "Hi"}]
    keys = EntryKeys.of({"message_field_role": "from", "message_field_content": "value"})
    assert keys.apply({"instruction": turns}) == {"instruction": [{"role": "user", "content": "Hi"}]}
    renamed = EntryKeys.of({"field_messages": "turns"})
    assert renamed.apply({"messages": "m", "instruction": "Hi"}) == {"instruction": "Hi", "messages beside turns": "m"}


@pytest.mark.parametrize(("given", "read"), [(3, 3), ('"Hi"', "Hi"), (["Hi"], ["Hi"]), ([], [])])
def test_what_is_no_conversation_is_left_to_the_reader(given: Any, read: Any) -> None:
    assert EntryKeys().apply({"messages": given}) == {"messages": read}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("Hi", "field 'turns' is text, but not JSON ('Hi'); write a list or its JSON text"),
        (
            [{"role": "user", "content": "Hi", "value": "Ho"}],
            "field 'messages' has a turn with both 'content' and 'value'; keep one of the two",
        ),
    ],
)
def test_rows_that_fit_no_name_are_refused(messages: Any, said: str) -> None:
    with pytest.raises(RowError) as error:
        EntryKeys.of({"field_messages": "turns", "message_field_content": "value"}).apply({"turns": messages})
    assert str(error.value) == said
