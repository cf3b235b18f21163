from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.format.probing.content_shapes import SHAPES, Shape, with_text

PART = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize(
    ("name", "role", "content"),
    [
        ("text", "user", "Hi"),
        ("parts", "user", [PART]),
        ("parts", "assistant", [PART]),
        ("blocks", "user", {"parts": [PART]}),
        ("blocks", "assistant", {"blocks": [{"type": "response", "text": "Hi"}]}),
        ("blocks", "system", {"text": "Hi"}),
    ],
)
def test_a_text_in_each_shape(name: str, role: str, content: Any) -> None:
    assert Shape(name)({"role": role, "content": "Hi", "name": "Ada"}) == {
        "role": role,
        "content": content,
        "name": "Ada",
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_other_contents_are_left_alone(shape: Shape) -> None:
    assert [shape.name for shape in SHAPES] == ["text", "parts", "blocks"]
    for message in ({"role": "user", "content": [PART]}, {"role": "assistant", "content": None}, {"role": "assistant"}):
        assert shape(message) == message


def test_parts_are_joined_by_line_breaks() -> None:
    assert with_text({"role": "user", "content": [PART, "Ho"]}, 1) == {"role": "user", "content": "Hi\nHo"}
    message = {"role": "user", "content": "Hi"}
    assert with_text(message, 1) is message


@pytest.mark.parametrize(
    ("part", "named"), [({"type": "image"}, "dict {'type': 'image'}"), ({"text": 3}, "dict {'text': 3}"), (3, "int 3")]
)
def test_a_part_that_is_no_text_is_refused(part: Any, named: str) -> None:
    with pytest.raises(RowError) as error:
        with_text({"role": "user", "content": [PART, part]}, 2)
    assert str(error.value) == (
        f"field 'instruction' has in message 2 the part {named}, and the chat template takes text only; use text parts"
    )
