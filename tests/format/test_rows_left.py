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
    ],
)
def test_rows_left(rules: LengthRules, left: int) -> None:
    assert sum(rules.leave(*row) for row in ROWS) == left
    if left >= 2:
        check_rows_left("rows.jsonl", ROWS, rules)
        return
    with pytest.raises(AltTrainError, match=rf"^rows\.jsonl: .* {left} of 4 rows to train; set 'sequence_len: 400'"):
        check_rows_left("rows.jsonl", ROWS, rules)
