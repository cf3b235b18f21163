"""A config that leaves less than half of the rows to train is a mistake."""

from __future__ import annotations

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.rows_left import LengthRules, check_rows_left

ROWS = [(100, 40), (200, 50), (300, 60), (400, 70)]  # tokens, and those before the first trained one


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (LengthRules(400, strategy="drop"), 4),
        (LengthRules(200, strategy="drop"), 2),
        (LengthRules(199, strategy="drop"), 1),
        (LengthRules(20, strategy="drop"), 0),
        (LengthRules(60, strategy="truncate"), 2),
        (LengthRules(40, strategy="truncate"), 0),
        (LengthRules(400, shortest=301), 1),
        (LengthRules(400, shortest=300), 2),
    ],
)
def test_rows_left(rules: LengthRules, left: int) -> None:
    assert sum(rules.leave(*row) for row in ROWS) == left
    if left >= 2:
        check_rows_left("rows.jsonl", ROWS, rules)
        return
    with pytest.raises(AltTrainError, match=rf"^rows\.jsonl: .* {left} of 4 rows to train; set 'sequence_len: 400'"):
        check_rows_left("rows.jsonl", ROWS, rules)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            LengthRules(199),
            "sequence_len 199 leaves 1 of 3 rows to train; set 'sequence_len: 300', or remove the other rows from the "
            "file",
        ),
        (
            LengthRules(200, shortest=200),
            "sequence_len 200 and min_sample_len 200 leave 1 of 3 rows to train; set 'sequence_len: 300' and a lower "
            "min_sample_len, or remove the other rows from the file",
        ),
    ],
)
def test_the_limits_are_named_as_the_config_sets_them(rules: LengthRules, said: str) -> None:
    with pytest.raises(AltTrainError) as caught:
        check_rows_left("rows.jsonl", ROWS[:3], rules)
    assert str(caught.value) == f"rows.jsonl: {said}"
