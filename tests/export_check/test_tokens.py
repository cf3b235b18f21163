from __future__ import annotations

from typing import Any

import pytest
from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow

from axolotl_alttrain.export_check.measure import Completed
from axolotl_alttrain.export_check.tokens import completion_ids, first_difference, verdict_position
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion

CHAT = ThoughtFormat(end="<|im_end|>")
START = "<think>\nThe user asks this."


def completed(text: str, finish: str = "stop") -> Completed:
    sample = Sample("k", "base", "s", "1", "Hi", text, finish, 9)
    row = ScoredRow(run="base", set="s", id="1", kind="benign", instruction="Hi", metrics={})
    return Completed("P", sample, parse_completion(text, CHAT), row)


def test_a_stop_is_a_token_of_the_completion(smollm2: Any) -> None:
    ids = smollm2("<think>\nA\n</think>\n\nB")["input_ids"]
    assert completion_ids(completed("<think>\nA\n</think>\n\nB"), smollm2, CHAT, False) == (*ids, 2)
    assert completion_ids(completed("<think>\nA\n</think>\n\nB", "length"), smollm2, CHAT, False) == tuple(ids)


def test_a_chat_endpoint_loses_white_space(smollm2: Any) -> None:
    generated, joined = completed("<think>\nA \n</think>\n\n B"), completed("<think>\nA\n</think>\n\nB")
    one, other = (completion_ids(text, smollm2, CHAT, True) for text in (generated, joined))
    assert one == other
    assert completion_ids(generated, smollm2, CHAT, False) != other
    cut = completed("<think>\nA", "length")
    assert completion_ids(cut, smollm2, CHAT, True) == tuple(smollm2("<think>\nA")["input_ids"])


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [((1, 2), (1, 2), None), ((1, 2), (1, 3), 1), ((1,), (1, 2), 1), ((), (5,), 0), ((), (), None)],
)
def test_first_difference(first: tuple[int, ...], second: tuple[int, ...], place: int | None) -> None:
    assert first_difference(first, second) == place


@pytest.mark.parametrize(
    "declared",
    ["This is harmful", "This is harmless", "This is not harmful", "This is unproblematic"],  # the last in parts
)
def test_the_word_of_verdict_is_found_where_it_is_complete(smollm2: Any, declared: str) -> None:
    one = completed(f"{START}\n\n{declared}: it is what it is.\n\nGo on.\n</think>\n\nB")
    ids = completion_ids(one, smollm2, CHAT, False)
    place = verdict_position(one, ids, smollm2)
    assert place is not None
    assert smollm2.decode(ids[: place + 1]) == f"{START}\n\n{declared}"


def test_a_free_thought_has_no_word_of_verdict(smollm2: Any) -> None:
    one = completed("<think>\nThis is harmful, I think.\n</think>\n\nB")
    assert verdict_position(one, completion_ids(one, smollm2, CHAT, False), smollm2) is None
