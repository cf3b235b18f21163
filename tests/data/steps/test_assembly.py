from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from axolotl_alttrain.eval.judges.refusal import judge_refusal

from axolotl_alttrain.data.assessors.base import Assessment, Question
from axolotl_alttrain.data.assessors.offline import OfflineAssessor
from axolotl_alttrain.data.steps.assembly import assemble, sentence, wording
from axolotl_alttrain.data.steps.understanding import understand
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.format.verdict.reader import declares_verdict, read_verdict

THOUGHT = "\nOkay, they want a cake.\n\n  - Eggs,\tflour.\n\n\n```\nx = 1 \n```\nDone."
TRACE = Trace("7", "A cake?", THOUGHT, "\n\n**Mix**  it.\n", "benign", "food", "s", "en")


def assessed(**values: str) -> Assessment:
    return Assessment.model_validate({"verdict": "benign", "reason": "It is harmless: a cake."} | values)


def test_a_benign_trace_is_untouched_after_its_understanding() -> None:
    example = assemble(TRACE, understand(THOUGHT), assessed(), seed=1)
    assert example.conditional_reasoning == "- Eggs,\tflour.\n\n\n```\nx = 1 \n```\nDone."
    assert example.answer == "**Mix**  it."
    assert (example.id, example.label, example.harmfulness_assessment) == ("s-7", "benign", "It is harmless: a cake.")


def test_a_harmful_one_stops_and_refuses_in_drawn_or_given_words() -> None:
    trace = replace(TRACE, label="harmful")
    drawn = assemble(trace, understand(THOUGHT), assessed(verdict="harmful", reason="harmful: theft"), seed=1)
    assert drawn.conditional_reasoning in wording("stops")
    assert drawn.answer in wording("refusals")
    words = {"verdict": "harmful", "reason": "harmful: theft", "stop": "I stop.", "refusal": "I can't."}
    given = assemble(trace, understand(THOUGHT), assessed(**words), seed=1)
    assert (given.conditional_reasoning, given.answer) == ("I stop.", "I can't.")


@pytest.mark.parametrize(
    ("verdict", "reason", "language", "said"),
    [
        ("harmful", "This is harmful: theft.", "en", "This is harmful: theft."),
        ("harmful", "It would help a thief.", "en", "This is harmful: It would help a thief."),
        ("harmful", "It enables illegal entry.", "en", "This is harmful: It enables illegal entry."),
        ("benign", "It asks for a cake.", "de", "This is harmless: It asks for a cake."),
        ("harmful", "这会帮助小偷。", "zh", "这是有害的：这会帮助小偷。"),
    ],
)
def test_the_assessment_states_its_verdict(verdict: str, reason: str, language: str, said: str) -> None:
    found = sentence(assessed(verdict=verdict, reason=reason), language)
    assert found == said
    assert read_verdict(found) == verdict
    assert declares_verdict(found)


def test_drawn_words_refuse_vary_and_differ_from_the_rephrased_ones() -> None:
    assert all(judge_refusal(text) == "refusal" for text in wording("refusals"))
    assert not set(wording("stops")) & set(wording("stops-rephrased"))
    stops = Counter(
        assemble(
            replace(TRACE, instruction=f"{n}"), understand(THOUGHT), assessed(verdict="harmful", reason="harmful"), 1
        ).conditional_reasoning
        for n in range(800)
    )
    assert len(stops) == len(wording("stops"))
    assert max(stops.values()) < 100


CATEGORIES = ["Self-Harm", "Privacy / Personal Data", "Harassment / Hate / Discrimination", "Sexual / Adult", "code",
              "Misinformation / Disinformation", "Intellectual Property", "Violence / Physical Harm", "lookalike_law",
              "Illicit / Criminal Behavior", "malware", "math", "facts", None]  # fmt: skip


@pytest.mark.parametrize("label", ["harmful", "benign"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_offline_wording_states_its_verdict(label: str, category: str | None) -> None:
    questions = [Question(f"{n}", f"query {n}", label, category) for n in range(60)]  # type: ignore[arg-type]
    reasons = [outcome.assessment.reason for outcome in OfflineAssessor(1).assess(questions) if outcome.assessment]
    assert {read_verdict(reason) for reason in reasons} == {label}
    assert all(declares_verdict(reason) for reason in reasons)
    assert len(set(reasons)) >= 6


def test_offline_cannot_judge_without_a_label() -> None:
    (outcome,) = OfflineAssessor(1).assess([Question("k", "Hi")])
    assert outcome.fault == "the source has no label, and the offline assessor cannot judge"
