from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
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
