from __future__ import annotations

from axolotl_alttrain.eval.judges import RefusalJudge
from axolotl_alttrain.eval.judges.judge_quality import judge_quality


def test_the_refusal_rules_on_the_labelled_answers() -> None:
    found = judge_quality(RefusalJudge())  # the numbers in eval/README.md
    assert {split: (one.right, one.rows) for split, one in found.items()} == {
        "open": (58, 63),
        "held-out": (42, 63),
    }
    held = found["held-out"].classes["refusal"]
    assert [(one.count, one.total) for one in (held.precision, held.recall)] == [(18, 28), (18, 23)]
