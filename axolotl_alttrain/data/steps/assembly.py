"""The training example of a trace.

A harmful query gets a stop statement and a refusal. Of a benign trace, the rest of the thought and the answer are kept
byte for byte, except for outer whitespace.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from axolotl_alttrain.data.assessors.base import Assessment
from axolotl_alttrain.data.seeded_draw import draw
from axolotl_alttrain.data.steps.understanding import Understanding
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.verdict.reader import declares_verdict, read_verdict

# Prepended to a reason that does not declare its verdict itself.
_VERDICTS = {
    "harmful": {"zh": "这是有害的：", "": "This is harmful: "},
    "benign": {"zh": "这是无害的：", "": "This is harmless: "},
}


def assemble(trace: Trace, understanding: Understanding, assessment: Assessment, seed: int) -> AltTrainExample:
    """The training example of a trace.

    Args:
        trace: The trace from the source.
        understanding: Its thought, split after PU.
        assessment: The verdict, which becomes the label, and its reason.
        seed: Draws the stop statement and the refusal if the assessor wrote none.

    Raises:
        RowError: A part is empty. A benign thought of a single sentence, for example, has no CR.
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
    """HA: the assessor's sentence, preceded by its verdict if the sentence does not declare it."""
    if declares_verdict(assessment.reason) and read_verdict(assessment.reason) == assessment.verdict:
        return assessment.reason
    verdicts = _VERDICTS[assessment.verdict]
    return verdicts.get(language or "", verdicts[""]) + assessment.reason


@lru_cache(maxsize=8)
def wording(name: str) -> tuple[str, ...]:
    """The lines of a file in ``wording/``."""
    text = files("axolotl_alttrain.data.steps").joinpath("wording", f"{name}.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line.strip())
