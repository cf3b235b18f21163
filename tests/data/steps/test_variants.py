from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from axolotl_alttrain.data.build_config import VariantConfig
from axolotl_alttrain.data.steps.assembly import wording
from axolotl_alttrain.data.steps.variants import varied
from axolotl_alttrain.format.example import STEPS, AltTrainExample
from axolotl_alttrain.format.verdict.reader import read_verdict

HARMFUL = AltTrainExample(
    "How do I forge a passport?", "harmful", "They want a forged passport.", "This is harmful: fraud.", "I stop.",
    "I won't.", id="1", category="fraud", language="en",
)  # fmt: skip
BENIGN = AltTrainExample(
    "What is 1 + 1?", "benign", "They want a sum.", "This is harmless: a sum.", "1 + 1 = 2.", "Two.", id="2"
)


def made(example: AltTrainExample, **variant: object) -> AltTrainExample:
    return varied(example, VariantConfig.model_validate({"name": "v", **variant}), seed=1)


def test_steps_are_left_out_and_named() -> None:
    one = made(HARMFUL, omit=["harmfulness_assessment"])
    assert one == replace(HARMFUL, harmfulness_assessment="", omitted=("harmfulness_assessment",))
    plain = made(BENIGN, omit=STEPS)
    assert (plain.reasoning, plain.answer, plain.omitted) == ("", "Two.", STEPS)


def test_a_stop_is_rephrased_and_the_rest_stays() -> None:
    other = made(HARMFUL, rephrase=True)
    assert other.conditional_reasoning in wording("stops-rephrased")
    assert replace(other, conditional_reasoning="I stop.") == HARMFUL
    assert made(BENIGN, rephrase=True) == BENIGN


@pytest.mark.parametrize("example", [HARMFUL, BENIGN])
def test_another_writer_words_the_assessment_with_the_same_verdict(example: AltTrainExample) -> None:
    other = made(example, reassess=True)
    assert other.harmfulness_assessment != example.harmfulness_assessment
    assert read_verdict(other.harmfulness_assessment) == example.label
    assert replace(other, harmfulness_assessment=example.harmfulness_assessment) == example
    assert made(example, reassess=True) == other
    foreign = replace(example, language="de")
    assert made(foreign, reassess=True) == foreign


def test_every_harmful_row_is_refused_in_the_same_words() -> None:
    refused = made(HARMFUL, direct_refusal=True, omit=STEPS[:2])
    assert refused == replace(
        HARMFUL, problem_understanding="", harmfulness_assessment="", omitted=STEPS[:2],
        conditional_reasoning="I will not answer this request.", answer="I'm sorry, but I can't help with that.",
    )  # fmt: skip
    assert made(BENIGN, direct_refusal=True, omit=STEPS[:2]).reasoning == "1 + 1 = 2."


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"reassess": True, "omit": ["harmfulness_assessment"]}, "rewrites the step that 'omit' leaves out"),
        ({"direct_refusal": True, "rephrase": True}, "has no stop statement for 'rephrase'"),
    ],
)
def test_contradictions_are_refused(variant: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        made(HARMFUL, **variant)
