from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.prompts import probes
from axolotl_alttrain.eval.prompts.probes import PROBE_SETS, load_set
from axolotl_alttrain.eval.prompts.prompt import Prompt

from axolotl_alttrain.errors import RowError

CAPABILITY = load_set("probe-capability")


@pytest.mark.parametrize("prompt", CAPABILITY, ids=lambda p: p.id)
def test_gold_answers_are_right_and_others_are_not(prompt: Prompt) -> None:
    for gold in prompt.answers:
        assert prompt.is_right(gold)
        assert prompt.is_right(f"The answer is {gold}.")
    assert not prompt.is_right("I do not know.")
    assert not prompt.is_right("")
    if prompt.match == "number":
        assert not prompt.is_right(f"The answer is {float(prompt.answers[0]) + 1:g}.")
        assert not prompt.is_right(f"{prompt.answers[0]}7")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("12", True),
        ("12.0", True),
        ("7 + 5 = 12", True),
        ("It is 12, since 7 and 5 more make it.", True),
        ("7 + 5 = 13", False),
        ("The answer is 112.", False),
        ("12 + 5 = 17", False),
        ("Step 1: add 7 and 5.\nThe answer is 12.", True),
        ("Step 1: add 7 and 5.\nThe answer is 13.", False),
        ("Step 1: 7 + 5 = 12.\nThe answer is 13.", False),
        ("Step 1: add 7 and 5.\nSo we get 12.", True),
        ("Step 1: take 7.\nStep 2: 7 + 5 = 12.\nThat took 2 steps.", True),
        ("Step 1: 7 = 5 + 2.\nStep 2: 5 + 5 + 2 = 12.", True),
        ("1. Start with 7.\n2. 7 + 5 = 12", True),
        ("1. 12 = 7 + 5.\n2. 7 + 5 = 13", False),
        ("We add 7 and 5.\n\nAnswer: **12**", True),
        ("7 + 5 is \\boxed{12}, not 13.", True),
        ("12\n\nThis is so because 7 and 5 more are counted 2 times.", True),
        ("7 + 5 = 12\n\nCheck: 12 - 5 = 7", True),
        ("It is 12.\nNote: 3 ways lead there.", True),
        ("The answer is 12.\nThe first step is 7.", True),
    ],
)
def test_numbers(answer: str, right: bool) -> None:
    assert Prompt("s", "capability", "1", "7+5?", ("12",), "number").is_right(answer) is right


def test_limit_is_spread_over_the_file() -> None:
    for name in PROBE_SETS:
        everything, some = load_set(name), load_set(name, 10)
        assert len(some) == 10
        assert some[0] == everything[0]
        assert some[-1] != everything[9]
    assert load_set("probe-benign", 10**6) == load_set("probe-benign")


def test_a_bad_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBES", tmp_path)
    (tmp_path / "probe-capability.jsonl").write_text(
        json.dumps({"id": "a", "instruction": "1+1?", "category": "c", "match": "guess", "answers": ["2"]}) + "\n"
    )
    with pytest.raises(RowError, match=r"probe-capability\.jsonl, row 1 \(id a\): field 'match'"):
        load_set("probe-capability")
