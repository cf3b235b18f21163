"""The plugin's options, under one key of an Axolotl config."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from axolotl_alttrain.eval.prompts.sets import suites
from axolotl_alttrain.format.quoted_request import Understanding
from axolotl_alttrain.format.reasoning.trained_rows import ReasoningTurns, Thinking, thinking_option


class ThoughtTexts(BaseModel):
    """Explicit delimiters of a thought, for models whose chat template does not reveal them."""

    model_config = ConfigDict(extra="forbid")

    open: str = Field(description="Text that opens a thought.")
    close: str = Field(min_length=1, description="Text between the thought and the answer.")


class AltTrainOptions(BaseModel):
    """Options under ``alttrain:``. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")

    thought_format: Literal["auto", "s1"] | ThoughtTexts = Field(
        default="auto",
        description="How a thought opens and closes: 'auto' learns it from the chat template, 's1' is the format of "
        "the s1 models, or give the two texts.",
    )
    thinking: Thinking = Field(
        default="on",
        description="The modes in which rows are trained: 'on' with the thought, 'off' the answer alone after the "
        "template's non-thinking prompt, 'both' each row twice.",
    )
    reasoning_turns: ReasoningTurns = Field(
        default="last",
        description="Which assistant turns of 'type: alttrain.reasoning' carry loss: the last, or all that the "
        "template shows as the model wrote them.",
    )
    understanding: Understanding = Field(
        default="written",
        description="The problem understanding that 'type: alttrain' trains: 'written' in the row, or the request "
        "'quoted', for models too small to restate it.",
    )
    verdict_weight: float = Field(
        default=1.0,
        ge=1,
        description="How many times the loss counts the token that states the verdict of an assessment.",
    )
    probe_every: int | None = Field(
        default=None,
        ge=1,
        description="Probe the model every N steps and after the last one. Off by default.",
    )
    probe_prompts: int = Field(default=12, ge=1, description="Prompts per probe set, spread evenly over the set.")
    probe_max_new_tokens: int = Field(
        default=256, ge=1, description="Maximum number of tokens per completion of a probe."
    )
    probe_budget: float = Field(
        default=0.1, gt=0, description="Maximum time for probes, as a share of the training time."
    )
    evaluate: str | None = Field(
        default=None,
        description="Suite (probe, safety, ...) on which the trained model is evaluated, into 'eval' in 'output_dir'.",
    )

    @field_validator("thinking", mode="before")
    @classmethod
    def _check_thinking(cls, value: Any) -> Any:
        return thinking_option(value)

    @field_validator("evaluate")
    @classmethod
    def _check_suite(cls, value: str | None) -> str | None:
        names = sorted(suites())
        if value is not None and value not in names:
            raise ValueError(f"found {value!r}; allowed: {', '.join(names)}")
        return value


class AltTrainArgs(BaseModel):
    """The part of Axolotl's config schema that the plugin adds."""

    alttrain: AltTrainOptions | None = None
