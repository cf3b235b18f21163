"""The plugin's options, one nested key of an Axolotl config."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from axolotl_alttrain.eval.prompts.sets import suites


class ThoughtTexts(BaseModel):
    """A thought's delimiters spelled out, for models whose template does not show them."""

    model_config = ConfigDict(extra="forbid")

    open: str = Field(description="What the model writes before its thought.")
    close: str = Field(min_length=1, description="What stands between thought and answer.")


class AltTrainOptions(BaseModel):
    """Options under ``alttrain:``; an unknown key is an error, not silence."""

    model_config = ConfigDict(extra="forbid")

    thought_format: Literal["auto", "s1"] | ThoughtTexts = Field(
        default="auto",
        description="How a thought opens and closes: learned from the chat template, the format of s1 models, or "
        "two texts.",
    )
    probe_every: int | None = Field(
        default=None,
        ge=1,
        description="Steps between two probes of the model in training; by default there are none. The last step is "
        "probed too.",
    )
    probe_prompts: int = Field(default=12, ge=1, description="Prompts per probe set, spread evenly over it.")
    probe_max_new_tokens: int = Field(default=256, ge=1, description="Most tokens per completion of a probe.")
    probe_budget: float = Field(
        default=0.1, gt=0, description="Most time that probes may take, as a share of the time that training takes."
    )
    evaluate: str | None = Field(
        default=None,
        description="Evaluate what was trained on this suite (probe, safety, ...), into 'eval' below 'output_dir'.",
    )

    @field_validator("evaluate")
    @classmethod
    def _a_suite(cls, value: str | None) -> str | None:
        names = sorted(suites())
        if value is not None and value not in names:
            raise ValueError(f"found {value!r}; allowed: {', '.join(names)}")
        return value


class AltTrainArgs(BaseModel):
    """What Axolotl merges into its config schema."""

    alttrain: AltTrainOptions | None = None
