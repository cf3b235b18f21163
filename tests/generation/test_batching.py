from __future__ import annotations

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.batching import BatchSizer, batches


def taken(sizer: BatchSizer, lengths: list[int], groups: str, new: int = 10, fits: int = 99) -> list[list[int]]:
    done = []
    for batch in batches(lengths, list(groups), new, sizer):
        if len(batch) > fits:
            sizer.shrink(len(batch))
            continue
        sizer.done(batch)
        done.append(batch)
    return done


def test_alike_lengths_longest_first_and_groups_apart() -> None:
    assert taken(BatchSizer(2, 9, 10**6), [3, 9, 5, 7, 1], "aaabb") == [[1, 2], [0], [3, 4]]


def test_token_budget() -> None:
    # 60 tokens hold three answers of 10 behind prompts of 10, and one behind a prompt of 40.
    assert taken(BatchSizer(None, 48, 60), [10, 40, 10, 10, 10], "aaaaa") == [[1], [0, 2, 3], [4]]


def test_backs_off_and_loses_nothing() -> None:
    sizer = BatchSizer(None, 8, 10**6)
    found = taken(sizer, list(range(20)), "a" * 20, fits=3)
    assert sorted(i for batch in found for i in batch) == list(range(20))
    assert {len(batch) for batch in found} == {2}
    assert sizer.size == 2
    with pytest.raises(AltTrainError, match="out of memory with a single sequence; lower --max-new-tokens"):
        taken(BatchSizer(None, 8, 10**6), [1], "a", fits=0)
