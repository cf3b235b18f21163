"""The plugin's options, one nested key of an Axolotl config."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AltTrainOptions(BaseModel):
    """Options under ``alttrain:``; an unknown key is an error, not silence."""

    model_config = ConfigDict(extra="forbid")

    thought_format: Literal["auto", "s1"] = Field(
        default="auto",
        description="How a thought opens and closes: learned from the chat template, or the format of s1 models.",
    )


class AltTrainArgs(BaseModel):
    """What Axolotl merges into its config schema."""

    alttrain: AltTrainOptions | None = None
