"""An understanding that quotes the request, for models too small to restate one without changing what it asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from axolotl_alttrain.format.example import AltTrainExample

Understanding = Literal["written", "quoted"]
LONGEST = 60  # words; to quote a longer request takes more tokens than the rest of the thought


def with_quoted_request(example: AltTrainExample) -> AltTrainExample:
    """The example with its last user turn, on one line and in quotation marks, as its understanding.

    It is left as it is where the turn has no text, more than :data:`LONGEST` words, or a ``<``, which may begin a
    marker of the chat template; and where the understanding is omitted.
    """
    content = example.messages[-1].get("content")
    words = content.split() if isinstance(content, str) and "<" not in content else []
    if not 0 < len(words) <= LONGEST or "problem_understanding" in example.omitted:
        return example
    return replace(example, problem_understanding=f'The user asks: "{" ".join(words)}"')
