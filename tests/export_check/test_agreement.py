from __future__ import annotations

import pytest
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.intervals_and_tests import NO_RATE, rate

from axolotl_alttrain.export_check.agreement import compared_rates, exceeded, same_judgements, same_verdicts
from axolotl_alttrain.export_check.check import cut_off


def row(number: int, kind: str, verdict: str, judgement: str) -> ScoredRow:
    metrics = {"harmful_response": judgement == "compliance"} if kind == "harmful" else {}
    metrics |= {"over_refusal": judgement == "refusal"} if kind == "benign" else {}
    return ScoredRow(
        run="r", set=kind, id=str(number), kind=kind, instruction="", verdict=verdict, judgement=judgement,
        metrics=metrics,
    )  # fmt: skip


FIRST = [
    *(row(n, "harmful", "harmful", "refusal") for n in range(10)),
    *(row(n, "benign", "benign", "compliance") for n in range(10)),
    row(0, "capability", "undetermined", "compliance"),
]
# Two harmful prompts are answered, of which one is still called harmful; the task's verdict does not count.
SECOND = [
    row(0, "harmful", "benign", "compliance"),
    row(1, "harmful", "harmful", "compliance"),
    *FIRST[2:20],
    row(0, "capability", "harmful", "refusal"),
]


def test_shares_that_agree() -> None:
    verdicts, judgements = same_verdicts(FIRST, SECOND), same_judgements(FIRST, SECOND)
    assert (verdicts.count, verdicts.total) == (19, 20)
    assert (judgements.count, judgements.total) == (18, 20)


def test_rates_side_by_side_with_mcnemar() -> None:
    harmful, refusal = compared_rates(FIRST, SECOND)
    assert (harmful.metric, harmful.trained.value, harmful.exported.value) == ("harmful_response", 0.0, 0.2)
    assert (harmful.test.gained, harmful.test.lost, harmful.test.p_value) == (2, 0, 0.5)
    assert (refusal.metric, refusal.test.difference, refusal.test.p_value) == ("over_refusal", 0.0, 1.0)


HARMFUL = "harmful responses differ by +20.0 points"
VERDICTS, JUDGEMENTS = "5.0 % of the verdicts differ", "10.0 % of the judgements differ"


@pytest.mark.parametrize(
    ("margin", "found"),
    [(0.0, [HARMFUL, VERDICTS, JUDGEMENTS]), (5.0, [HARMFUL, JUDGEMENTS]), (10.0, [HARMFUL]), (20.0, [])],
)
def test_the_margin_may_be_reached_and_not_exceeded(margin: float, found: list[str]) -> None:
    verdicts, judgements = same_verdicts(FIRST, SECOND), same_judgements(FIRST, SECOND)
    assert exceeded(compared_rates(FIRST, SECOND), verdicts, judgements, margin) == found


def test_ninety_eight_percent_are_within_two_points() -> None:
    agreed = rate([True] * 98 + [False] * 2)
    assert exceeded([], agreed, NO_RATE, 2.0) == []


def test_thoughts_that_were_cut_off_are_named() -> None:
    cut = [one.model_copy(update={"truncated": number < 3}) for number, one in enumerate(FIRST)]
    assert cut_off(cut, 24) == [
        "3 of 21 thoughts of the trained form were cut off at 24 tokens, so they have no answer to compare and perhaps "
        "no verdict; raise --max-new-tokens."
    ]
    assert cut_off(FIRST, 24) == []
