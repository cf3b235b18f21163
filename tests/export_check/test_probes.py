from __future__ import annotations

from math import log

import pytest

from axolotl_alttrain.export_check.agreement import Pair
from axolotl_alttrain.export_check.next_token import NextTokens, Position, largest_difference, next_tokens
from axolotl_alttrain.export_check.probes import Probed, first_differences, gap, probes_of
from tests.export_check.test_tokens import completed
from tests.exports import Exports


class Letters:
    """Token 0 is a, 1 is b, and so on."""

    def decode(self, ids: list[int]) -> str:
        return "".join(chr(97 + token) for token in ids)


ONE, OTHER = completed("<think>\nA\n</think>\n\nB"), completed("<think>\nA\n</think>\n\nC")
EQUAL = Pair(("s", "1"), ONE, ONE, (0, 1), (0, 1), None, None)
APART = Pair(("s", "2"), ONE, OTHER, (0, 1, 2), (0, 3, 2), 1, 2)
CUT = Pair(("s", "3"), ONE, OTHER, (0,), (0, 3), 1, None)


def test_positions_and_gaps() -> None:
    probes = probes_of([EQUAL, APART])
    assert [(p.pair.key[1], p.where, p.before) for p in probes] == [
        ("1", "first", ()),
        ("2", "first", ()),
        ("2", "verdict", (0, 1)),
        ("2", "difference", (0,)),
    ]
    trained = ({"a": 0.9}, {"a": 0.5, "b": 0.4}, {"c": 1.0}, {"b": 0.5, "d": 0.25})
    exported = ({"a": 0.9}, {"a": 0.25, "b": 0.4}, {"c": 1.0}, {"b": 0.1, "d": 0.8})
    probed = Probed(probes, NextTokens(trained), NextTokens(exported))
    first, verdict = gap(probed, "first"), gap(probed, "verdict")
    assert first is not None
    assert (first.prompts, first.largest, first.mean, first.largest_at) == (2, 0.25, 0.125, "s 2")
    assert verdict is not None
    assert (verdict.prompts, verdict.largest) == (1, 0.0)
    (difference,) = first_differences([EQUAL, APART], probed, Letters())
    assert (difference.position, difference.trained, difference.exported) == (1, "b", "d")
    assert difference.trained_margin == pytest.approx(log(2))
    assert difference.exported_margin == pytest.approx(log(8))


def test_without_probabilities_the_positions_remain() -> None:
    probed = Probed(probes_of([APART, CUT]), NextTokens(), NextTokens(reason="no server"))
    assert (probed.reason, gap(probed, "first")) == ("no server", None)
    apart, cut = first_differences([APART, CUT], probed, Letters())
    assert (apart.position, apart.trained_margin, apart.exported_margin) == (1, None, None)
    assert (cut.position, cut.trained, cut.exported) == (1, "", "d")


def test_a_token_outside_a_list_has_at_most_the_smallest_probability_of_the_list() -> None:
    assert largest_difference({"a": 0.7, "c": 0.1}, {"b": 0.6, "c": 0.3}) == 0.5
    assert largest_difference({}, {"a": 0.5}) == 0.0


def test_probabilities_are_those_of_one_forward_pass(exports: Exports) -> None:
    import torch
    from axolotl_alttrain.eval.backends.hf import HFBackend

    backend = HFBackend(str(exports.exact), dtype="float32")
    prompts = [backend.render([{"role": "user", "content": text}]) for text in ("Hi", "A longer question?")]
    positions = [Position(prompts[0]), Position(prompts[1], (5, 6)), Position(prompts[0], (7,))]
    found = next_tokens(backend, "base", positions, backend.tokenizer).found
    for position, one in zip(positions, found, strict=True):
        ids = [*backend.chat.encode([position.prompt])[0], *position.before]
        with torch.inference_mode():
            shares = backend.model(torch.tensor([ids])).logits[0, -1].softmax(-1)
        best = int(shares.argmax())
        text, value = next(iter(one.items()))
        assert text == backend.tokenizer.decode([best])
        assert value == pytest.approx(float(shares[best]), abs=1e-6)
