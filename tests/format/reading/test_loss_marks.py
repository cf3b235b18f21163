from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.reading.entry_keys import EntryKeys
from axolotl_alttrain.format.reading.loss_marks import carries_loss, trained_earlier, without_marks
from axolotl_alttrain.format.row_reader import RowReader, UnreadCount

THOUGHT = "Bread.\n\nThis is harmless: baking.\n\nMix."
USER = {"role": "user", "content": "Bake?"}


def row(content: Any = "Mix.", earlier: dict[str, Any] | None = None, **marks: Any) -> dict[str, Any]:
    last = {"role": "assistant", "reasoning_content": THOUGHT, "content": content, **marks}
    turns = [USER, {"role": "assistant", "content": "What?", **earlier}, USER] if earlier is not None else [USER]
    return {"messages": [*turns, last]}


@pytest.mark.parametrize("marks", [{"train": False}, {"weight": 0}, {"weight": 0.0}, {"training": False}])
def test_an_unmarked_row_is_trained_and_one_marked_as_untrained_is_left_out(marks: dict[str, Any]) -> None:
    reader = RowReader()
    assert reader(row(**dict.fromkeys(marks))).example is not None
    assert reader(row(**marks)).example is None
    # It is left out before anything else is asked of it.
    assert reader({"messages": [USER, {"role": "assistant", "content": "No thought.", **marks}]}).example is None


def test_the_config_may_name_the_mark() -> None:
    reader = RowReader(EntryKeys.of({"message_field_training": "learn"}))
    assert reader(row(learn=False)).example is None
    assert reader(row(learn=True)).unread == ()


def test_parts_are_joined_and_their_marks_followed() -> None:
    parts = [{"type": "text", "text": "Mix "}, {"type": "text", "text": "it."}]
    example = RowReader()(row(parts)).example
    assert example is not None
    assert example.answer == "Mix it."
    assert RowReader()(row([part | {"weight": 0} for part in parts])).example is None
    with pytest.raises(RowError, match="only some parts carry loss"):
        RowReader()(row([parts[0], parts[1] | {"train": False}]))


def test_a_partial_weight_is_refused() -> None:
    with pytest.raises(RowError, match=r"marks its last turn with weight: float 0\.5; write true or false, or 1 or 0"):
        RowReader()(row(weight=0.5))


def test_earlier_turns_never_carry_loss() -> None:
    assert RowReader()(row(earlier={"train": False, "weight": 0})).unread == ()
    read = RowReader()(row(earlier={"weight": 1}))
    assert read.unread == ("messages.assistant.train of earlier turns",)
    assert read.example is not None
    assert "weight" not in read.example.messages[1]


def test_the_count_is_told_in_sentences() -> None:
    count = UnreadCount(left_out=2)
    count.add(["b", "a"])
    count.add(["a"], 3)
    assert count.sentences() == [
        "Neither trained nor in the prompt: a (4 rows), b (1 row).",
        "Left out because the last turn is marked 'train: false' or 'weight: 0': 2 rows.",
    ]
    assert UnreadCount().sentences() == []


@pytest.mark.parametrize(
    "messages",
    [
        None,
        3,
        "Mix.",
        [],
        ["Mix."],
        [{"content": None}],
        [{"content": "Mix.", "weight": 1}],
        [USER, {"content": "What?", "weight": 0}, USER],
        [{"content": [{"text": "Mix.", "train": True, "weight": 0}]}],
    ],
)
def test_only_a_mark_on_the_last_turn_takes_it_out(messages: Any) -> None:
    assert carries_loss(messages)


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (
            {"content": [{"text": "Mix "}, {"text": "it.", "weight": 0}]},
            "has a last turn in which only some parts carry loss; train the whole turn or none of it",
        ),
        (
            {"content": [{"text": "Mix.", "train": "no"}]},
            "marks its last turn with train: 'no'; write true or false, or 1 or 0",
        ),
        ({"content": "Mix.", "learn": 2}, "marks its last turn with learn: int 2; write true or false, or 1 or 0"),
    ],
)
def test_marks_that_cannot_be_followed_are_refused(turn: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as error:
        carries_loss([turn], "learn")
    assert str(error.value) == f"field 'messages' {said}"


def test_a_mark_is_a_number_or_a_truth_value() -> None:
    turn = {"content": "Go.", "index": 3, "train": "express", "training": True, "weight": 0.5, "learn": False}
    assert without_marks(turn, "learn") == {"content": "Go.", "index": 3, "train": "express"}


def test_marks_of_earlier_turns() -> None:
    marked = {"content": "What?", "learn": True}
    assert trained_earlier([marked, USER], "learn")
    assert not trained_earlier([marked, USER])
    assert not trained_earlier([USER, marked], "learn")
    assert not trained_earlier(None)
