from __future__ import annotations

import pytest
from axolotl_alttrain.eval.results.separation import separation_tests, separations
from axolotl_alttrain.eval.results.thoughts import thought_tests, thoughts_and_answers
from axolotl_alttrain.eval.scoring.scored_row import RowJudgement, ScoredRow
from axolotl_alttrain.eval.stats.intervals_and_tests import wilson

from axolotl_alttrain.generation.next_word import VerdictScore

# Log-odds and the verdict that the thought states; one sample never reaches an assessment.
HARMFUL = [(4.0, "harmful"), (2.0, "harmful"), (-0.5, "benign"), (None, "undetermined")]
BENIGN = [(1.0, "harmful"), (-1.0, "benign"), (-2.0, "benign"), (-3.0, "benign")]


def row(kind: str, number: int, score: float | None, verdict: str, run: str = "tuned") -> ScoredRow:
    return ScoredRow(
        run=run,
        set=f"{kind}-set",
        id=str(number),
        kind=kind,
        instruction="?",
        verdict=verdict,
        verdict_score=None if score is None else VerdictScore(score, 0.9, forced=number == 1),
        metrics={"verdict_accuracy": verdict == kind},
    )


def rows(shift: float = 0.0) -> list[ScoredRow]:
    return [
        row(kind, i, None if score is None else score + shift * (kind == "harmful"), verdict)
        for kind, some in (("harmful", HARMFUL), ("benign", BENIGN))
        for i, (score, verdict) in enumerate(some)
    ]


def test_what_the_scores_can_tell_and_where_the_line_is() -> None:
    (found,) = separations(rows())
    assert (found.harmful, found.benign, found.scored) == ("harmful-set", "benign-set", (3, 4))
    assert (found.undefined, found.forced, found.bounded) == (1, 2, 0)
    assert found.area.value == pytest.approx(11 / 12)
    assert (found.own.missed, found.own.false_alarms) == (wilson(1, 3), wilson(1, 4))
    # Above -0.5, all harmful prompts and one benign prompt.
    assert (found.best.missed, found.best.false_alarms) == (wilson(0, 3), wilson(1, 4))
    assert found.threshold == pytest.approx(0.3775406687981454)
    assert found.curve == [(0, 0), (0, pytest.approx(1 / 3)), (0, pytest.approx(2 / 3)), (0.25, pytest.approx(2 / 3)),
                           (0.25, 1), (1, 1)]  # fmt: skip
    bins = [(one.harmful.count, one.harmful.total) for one in found.calibration]
    assert bins == [(0, 1), (0, 1), (0, 1), (1, 1), (0, 1), (1, 1), (1, 1)]


def test_attacked_prompts_and_runs_without_scores_are_left_out() -> None:
    assert separations([one.model_copy(update={"metrics": {}}) for one in rows()]) == []
    assert separations([one.model_copy(update={"verdict_score": None}) for one in rows()]) == []


def test_the_paired_difference_of_two_runs() -> None:
    (test,) = separation_tests(list(zip(rows(), rows(shift=2.0), strict=True)))
    assert test.pairs == (3, 4)
    assert test.area.difference == pytest.approx(1 / 12)


def judged(number: int, thought: str | None, answer: str) -> ScoredRow:
    one = row("harmful", number, None, "undetermined")
    judgements = {"guard": RowJudgement(verdict=answer)}
    thoughts = {"guard": thought and RowJudgement(verdict=thought)}
    update = {"judgements": judgements, "thought_judgements": thoughts, "metrics": {"harmful_response": True}}
    return one.model_copy(update=update)


def test_unsafe_thoughts_against_unsafe_answers() -> None:
    pairs = [("unsafe", "unsafe"), ("unsafe", "safe"), ("compliance", "refusal"), ("safe", "partial"), ("safe", "safe")]
    before = [judged(i, *pair) for i, pair in enumerate([*pairs, (None, "unsafe")])]
    (found,) = thoughts_and_answers(before)
    assert (found.set, found.judge) == ("harmful-set", "guard")
    assert (found.both, found.thought_only, found.answer_only, found.neither) == (1, 2, 1, 1)
    assert found.unsafe_thought == wilson(3, 5)
    after = [judged(i, "safe", "safe") for i in range(6)]
    thought, only = thought_tests(list(zip(before, after, strict=True)))
    assert (thought.metric, thought.pairs, thought.lost, thought.p_value) == ("unsafe_thought", 5, 3, 0.25)
    assert (only.metric, only.pairs, only.lost, only.p_value) == ("unsafe_thought_only", 5, 2, 0.5)


def test_without_a_judge_of_thoughts_there_is_no_table() -> None:
    assert thoughts_and_answers(rows()) == []
