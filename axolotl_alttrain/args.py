"""The plugin's options, one nested key of an Axolotl config."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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


class AltTrainArgs(BaseModel):
    """What Axolotl merges into its config schema."""

    alttrain: AltTrainOptions | None = None
