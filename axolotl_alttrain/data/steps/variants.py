"""A training example as a variant of the dataset has it: ablations of the structure, and controls without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from axolotl_alttrain.data.assessors.base import Question
from axolotl_alttrain.data.assessors.offline import OfflineAssessor
from axolotl_alttrain.data.build_config import VariantConfig
from axolotl_alttrain.data.seeded_draw import draw
from axolotl_alttrain.data.steps.assembly import sentence, wording
from axolotl_alttrain.format.example import STEPS, AltTrainExample

# One for all harmful rows, in the manner of data that teaches refusal and no reason (Huang et al. 2025, "Safety Tax",
# arXiv 2503.00555).
FIXED_THOUGHT = "I will not answer this request."
FIXED_REFUSAL = "I'm sorry, but I can't help with that."


def varied(example: AltTrainExample, variant: VariantConfig, seed: int) -> AltTrainExample:
    """The example as a variant has it; steps that the variant omits are named in ``omitted``."""
    if variant.direct_refusal and example.label == "harmful":
        return refused_directly(example)
    if variant.rephrase:
        example = rephrased(example, seed)
    if variant.reassess:
        example = reassessed(example, seed)
    return without(example, variant.omit)


def without(example: AltTrainExample, steps: tuple[str, ...]) -> AltTrainExample:
    """The example without some steps."""
    changes: dict[str, Any] = dict.fromkeys(steps, "")
    return replace(example, omitted=tuple(dict.fromkeys((*example.omitted, *steps))), **changes)


def rephrased(example: AltTrainExample, seed: int) -> AltTrainExample:
    """The example with another stop statement (the paper's ablation "CR rephrased"); benign examples are unchanged."""
    if example.label == "benign":
        return example
    return replace(example, conditional_reasoning=draw(wording("stops-rephrased"), seed, "rephrase", _query(example)))


def reassessed(example: AltTrainExample, seed: int) -> AltTrainExample:
    """The example with HA as the offline assessor words its label and category; it knows English only.

    Examples in other languages keep their own HA.
    """
    if example.language not in (None, "en") or "harmfulness_assessment" in example.omitted:
        return example
    question = Question("", _query(example), example.label, example.category)
    (outcome,) = OfflineAssessor(seed).assess([question])
    assert outcome.assessment is not None
    return replace(example, harmfulness_assessment=sentence(outcome.assessment, example.language))


def refused_directly(example: AltTrainExample) -> AltTrainExample:
    """A harmful example with the fixed thought and refusal; tool calls are left out."""
    alone = without(example, STEPS[:2])
    return replace(alone, conditional_reasoning=FIXED_THOUGHT, answer=FIXED_REFUSAL, tool_calls=(), omitted=STEPS[:2])


def _query(example: AltTrainExample) -> str:
    return str(example.messages[-1]["content"])
