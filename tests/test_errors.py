from __future__ import annotations

import pickle

from axolotl_alttrain.errors import AltTrainError, RowError, first_line


def test_the_first_line_of_a_message() -> None:
    assert first_line(OSError("\n no such file \nmore\n")) == "no such file "
    assert first_line(ValueError("abcdef"), 3) == "abc"
    assert first_line(AltTrainError("one\ntwo"), 3) == "one\ntwo"


def test_an_error_without_a_message_has_its_type() -> None:
    assert first_line(TimeoutError()) == "TimeoutError"
    assert first_line(ValueError(" \n")) == "ValueError"


def test_a_row_error_survives_a_worker_process() -> None:
    error = RowError("answer", "is empty", "write a text", "seed.jsonl, row 3")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "seed.jsonl, row 3: field 'answer' is empty; write a text"
