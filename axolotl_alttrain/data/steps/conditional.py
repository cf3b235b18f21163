"""Conditional reasoning (CR) and the whole example: stop and refuse what is harmful, go on with what is benign.

Of a benign trace, the rest of the thought and the answer are kept byte for byte, outer white space aside.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from axolotl_alttrain.data.assessors.base import Assessment
from axolotl_alttrain.data.seeded_draw import draw
from axolotl_alttrain.data.steps.understanding import Understanding
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.verdict import declares_verdict, read_verdict

# Put in front of a reason that does not declare its verdict itself.
_VERDICTS = {
    "harmful": {"zh": "这是有害的：", "": "This is harmful: "},
    "benign": {"zh": "这是无害的：", "": "This is harmless: "},
}


def assemble(trace: Trace, understanding: Understanding, assessment: Assessment, seed: int) -> AltTrainExample:
    """The training example of a trace.

    Args:
        trace: The source's trace.
        understanding: Its thought, cut after PU.
        assessment: The verdict, which is the example's label, and its reason.
        seed: Draws stop statement and refusal where the assessor wrote none.

    Raises:
        RowError: A part is empty: a benign trace with a single sentence has no CR.
    """
    label = assessment.verdict
    if label == "harmful":
        reasoning = assessment.stop or draw(wording("stops"), seed, "stop", trace.instruction)
        answer = assessment.refusal or draw(wording("refusals"), seed, "refusal", trace.instruction)
    else:
        reasoning, answer = understanding.rest, trace.answer
    return AltTrainExample(
        instruction=trace.instruction,
        label=label,
        problem_understanding=understanding.text,
        harmfulness_assessment=sentence(assessment, trace.language),
        conditional_reasoning=reasoning,
        answer=answer,
        id=f"{trace.source}-{trace.id}",
        category=trace.category,
        source=trace.source,
        language=trace.language,
    )


def sentence(assessment: Assessment, language: str | None) -> str:
    """HA: the assessor's sentence, with its verdict in front where the sentence does not declare it."""
    if declares_verdict(assessment.reason) and read_verdict(assessment.reason) == assessment.verdict:
        return assessment.reason
    verdicts = _VERDICTS[assessment.verdict]
    return verdicts.get(language or "", verdicts[""]) + assessment.reason


def rephrased(example: AltTrainExample, seed: int) -> AltTrainExample:
    """The same example with its stop statement in other words (paper, ablation "CR rephrased"); benign ones stay."""
    if example.label == "benign":
        return example
    text = draw(wording("stops-rephrased"), seed, "rephrase", example.messages[-1]["content"])
    return replace(example, conditional_reasoning=text)


@lru_cache(maxsize=8)
def wording(name: str) -> tuple[str, ...]:
    """The lines of a file of wordings."""
    text = files("axolotl_alttrain.data.steps").joinpath("wording", f"{name}.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line.strip())
