from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import BaseModel, field_serializer
from pydantic_core import PydanticSerializationError

from axolotl_alttrain.errors import AltTrainError, RowError, cause_of, first_line, in_one, interrupted


def test_the_first_line_of_a_message() -> None:
    assert first_line(OSError("\n no such file \nmore\n")) == "no such file "
    assert first_line(ValueError("abcdef"), 3) == "abc"
    assert first_line(AltTrainError("one\ntwo"), 3) == "one\ntwo"


def test_an_error_without_a_message_has_its_type() -> None:
    assert first_line(TimeoutError()) == "TimeoutError"
    assert first_line(ValueError(" \n")) == "ValueError"


def test_a_row_error_survives_a_worker_process() -> None:
    error = RowError("answer", "is empty", "write a string", "seed.jsonl, row 3")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "seed.jsonl, row 3: field 'answer' is empty; write a string"


def test_the_cause_behind_a_general_error() -> None:
    inner = KeyError("a\n b")
    outer = RuntimeError("An error occurred")
    outer.__cause__ = inner
    assert cause_of(outer) == "KeyError: 'a\\n b'"
    assert cause_of(StopIteration()) == "StopIteration"
    inner.__cause__ = AltTrainError("rows.csv, row 2 has 3 cells; use quotes")
    assert cause_of(outer) == "rows.csv, row 2 has 3 cells; use quotes"


def test_lines_of_one_of_several_mistakes_stay_below_it() -> None:
    assert in_one(["a"]) == "a"
    assert in_one(["no set:\n  x: missing", "b"]) == "2 things are wrong:\n  no set:\n    x: missing\n  b"


def test_a_row_error_is_one_line() -> None:
    error = RowError("instruction", "ends with a turn of role 'us\n\u2028er'", "end it with a user turn")
    assert str(error) == "field 'instruction' ends with a turn of role 'us  er'; end it with a user turn"


def test_an_interruption_inside_a_serializer_is_one() -> None:
    class Interrupted(BaseModel):
        value: int = 0

        @field_serializer("value")
        def write(self, _: Any) -> int:
            raise KeyboardInterrupt

    with pytest.raises(PydanticSerializationError) as found:
        Interrupted().model_dump_json()
    assert interrupted(found.value)
    assert interrupted(KeyboardInterrupt())
    assert not interrupted(ValueError("KeyboardInterrupt"))
