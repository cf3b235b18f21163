from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from axolotl.prompt_tokenizers import IGNORE_INDEX as IGNORED
from torch.nn.functional import cross_entropy

from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.format.verdict_words import Opening, Wording, learn_wording
from axolotl_alttrain.verdict_loss import VerdictLoss

from .conftest import SEED

# "5 6" and then 7 or 8; or 9 or 10 alone.
WORDING = Wording((Opening((5, 6), (7,), (8,), 4, ""), Opening((), (9,), (10,), 2, "")))
VOCABULARY = 16


def outputs(*shape: int, seed: int = 1) -> SimpleNamespace:
    return SimpleNamespace(logits=torch.randn(*shape, VOCABULARY, generator=torch.Generator().manual_seed(seed)))


def places(*rows: list[int], wording: Wording = WORDING) -> list[list[int]]:
    found = VerdictLoss(wording, 8.0).verdict_words(torch.tensor(rows))
    return [row.nonzero().flatten().tolist() for row in found]


def losses(made: SimpleNamespace, labels: torch.Tensor) -> torch.Tensor:
    """Plain cross-entropy of every place, 0 where there is no loss; of shape (rows, tokens - 1)."""
    return cross_entropy(made.logits[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none")


def test_a_weight_of_one_is_plain_cross_entropy_per_trained_token() -> None:
    labels = torch.tensor([[IGNORED, IGNORED, 1, 5, 6, 7, 2], [IGNORED, 3, 9, 4, 2, IGNORED, IGNORED]])
    made = outputs(2, 7)
    plain = cross_entropy(made.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
    torch.testing.assert_close(VerdictLoss(WORDING, 1.0)(made, labels), plain)


def test_a_weight_counts_the_verdict_so_many_times_and_no_other_token() -> None:
    labels = torch.tensor([[IGNORED, IGNORED, 1, 5, 6, 7, 2], [IGNORED, 3, 9, 4, 2, IGNORED, IGNORED]])
    made = outputs(2, 7)
    each = losses(made, labels)
    # Token 7 stands at 5 and token 9 at 2; the logits one place before predict them. 9 tokens carry loss.
    expected = (each.sum() + 7 * (each[0, 4] + each[1, 1])) / 9
    torch.testing.assert_close(VerdictLoss(WORDING, 8.0)(made, labels), expected)


def test_the_tokens_of_all_micro_batches_divide_the_loss() -> None:
    labels = torch.tensor([[IGNORED, 1, 5, 6, 8, 2]])
    loss, made = VerdictLoss(WORDING, 3.0), outputs(1, 6)
    torch.testing.assert_close(loss(made, labels, num_items_in_batch=50), loss(made, labels) * 5 / 50)
    torch.testing.assert_close(loss(made, labels, num_items_in_batch=torch.tensor(50)), loss(made, labels) * 5 / 50)


def test_micro_batches_add_up_to_the_batch() -> None:
    labels = torch.tensor([[IGNORED, 1, 5, 6, 8, 2], [IGNORED, IGNORED, 3, 10, 2, IGNORED]])
    loss, made = VerdictLoss(WORDING, 8.0), outputs(2, 6)
    parts = [loss(SimpleNamespace(logits=made.logits[i : i + 1]), labels[i : i + 1], 8) for i in range(2)]
    torch.testing.assert_close(parts[0] + parts[1], loss(made, labels))


def test_logits_in_bfloat16_give_a_loss_in_float32() -> None:
    labels = torch.tensor([[IGNORED, 1, 5, 6, 8, 2]])
    made = outputs(1, 6)
    half = SimpleNamespace(logits=made.logits.bfloat16())
    found = VerdictLoss(WORDING, 8.0)(half, labels)
    assert found.dtype == torch.float32
    rounded = SimpleNamespace(logits=half.logits.float())
    torch.testing.assert_close(found, VerdictLoss(WORDING, 8.0)(rounded, labels))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([IGNORED, 1, 5, 6, 7, 2], [4]),  # the first opening, harmful
        ([IGNORED, 1, 5, 6, 8, 2], [4]),  # and benign
        ([IGNORED, 1, 9, 3, 2], [2]),  # the second opening, which has nothing before the word
        ([10, 3, 2], [0]),
        ([IGNORED, 5, 6, 8, 5, 6, 7, 2], [3]),  # at most one, the first
        ([IGNORED, 9, 5, 6, 7, 10], [1]),
        ([IGNORED, 1, 6, 7, 5, 8, 2], []),  # a word without its opening
        ([6, 7, 1, 2, 3, 5], []),  # what stands at the end of the row does not come before its beginning
        ([IGNORED, IGNORED, IGNORED], []),
    ],
)
def test_places(row: list[int], expected: list[int]) -> None:
    assert places(row) == [expected]


def test_an_opening_in_the_prompt_is_none() -> None:
    assert places([IGNORED, IGNORED, 7, 3, 5, 6, 8]) == [[6]]


def test_each_row_has_its_own_place() -> None:
    assert places([IGNORED, 5, 6, 7], [IGNORED, 1, 2, 3], [9, 5, 6, 8]) == [[3], [], [0]]


def test_each_completion_of_a_packed_row_has_its_own_place() -> None:
    first, second = [IGNORED, IGNORED, 1, 5, 6, 7, 9, 2], [IGNORED, 3, 10, 5, 6, 8, 2]
    without = [IGNORED, 1, 2]
    assert places([*first, *without, *second]) == [[5, 13]]
    packed, made = torch.tensor([[*first, *second]]), outputs(1, 15)
    each = losses(made, packed)
    expected = (each.sum() + 7 * (each[0, 4] + each[0, 9])) / 12
    torch.testing.assert_close(VerdictLoss(WORDING, 8.0)(made, packed), expected)


def test_the_verdicts_of_the_seed_data_are_found(smollm2: object) -> None:
    chat = learn_format(smollm2)
    rows = read_examples(SEED)[:200]
    wording = learn_wording(read_examples(SEED), chat)
    assert wording is not None
    known = {word for opening in wording.openings for word in opening.words}
    for row, ids in zip(rows, chat.encode([row.completion(chat.thought) for row in rows]), strict=True):
        place = wording.place(row.completion(chat.thought), chat)
        assert place is not None
        word = len(place.before)
        expected = [word] if not place.forced and ids[word] in known else []
        assert places([IGNORED, *ids], wording=wording) == [[one + 1 for one in expected]], row.id
