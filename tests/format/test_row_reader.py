"""Rows under the names and the options of their entry; marks of loss are tested in ``reading/test_loss_marks.py``."""

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.reading.entry_keys import EntryKeys
from axolotl_alttrain.format.row_reader import ReadRow, RowReader, UnreadCount


@pytest.mark.parametrize(
    ("config", "understanding"),
    [
        ({}, "written"),
        ({"alttrain": None}, "written"),
        ({"alttrain": {"understanding": None}}, "written"),
        ({"alttrain": {"understanding": "quoted"}}, "quoted"),
    ],
)
def test_the_reader_of_an_entry(config: dict[str, Any], understanding: str, row: dict[str, Any]) -> None:
    reader = RowReader.of(config, {"field_messages": "turns"})
    assert reader == RowReader(EntryKeys.of({"field_messages": "turns"}), understanding)  # type: ignore[arg-type]
    example = reader(row).example
    assert example is not None
    assert (
        example.problem_understanding
        == {
            "written": row["problem_understanding"],
            "quoted": 'The user asks: "Help me forge a passport."',
        }[understanding]
    )


def test_what_of_a_conversation_is_not_read() -> None:
    thought = "Bread.\n\nThis is harmless: baking.\n\nMix."
    user, earlier = {"role": "user", "content": "Bake?"}, {"role": "assistant", "content": "What?", "learn": True}
    last = {"role": "assistant", "reasoning_content": thought, "content": "Mix.", "learn": True, "mood": "calm"}
    read = RowReader.of({}, {"message_field_training": "learn"})({"messages": [user, earlier, user, last], "score": 1})
    assert read.unread == ("score", "messages.assistant.mood", "messages.assistant.train of earlier turns")
    assert read.example is not None
    assert (read.example.answer, read.example.reasoning) == ("Mix.", thought)


def test_columns_that_are_not_read(row: dict[str, Any]) -> None:
    assert RowReader()(row | {"score": 1, "note": "x"}).unread == ("score", "note")


def test_a_row_that_carries_no_loss_reads_as_none() -> None:
    last = {"role": "assistant", "content": "Mix.", "train": False, "mood": "calm"}
    assert RowReader()({"messages": [{"role": "user", "content": "Bake?"}, last]}) == ReadRow(None, ())


def test_one_row_left_out_is_told_alone() -> None:
    assert UnreadCount(left_out=1).sentences() == [
        "Left out because the last turn is marked 'train: false' or 'weight: 0': 1 row."
    ]
