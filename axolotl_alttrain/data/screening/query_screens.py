"""Near-duplicates and overlaps with evaluation prompts, as a build's config asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.data.build_config import BuildConfig


@dataclass
class Checks:
    """Makes the finders of a build.

    Attributes:
        evaluation_prompts: The evaluation sets' prompts as (set, id, text); none where no set is to be compared.
    """

    evaluation_prompts: Iterable[tuple[str, str, str]] = ()

    def duplicates(self, config: BuildConfig) -> Any:
        """A finder of near-duplicates, or None where they are to be kept."""
        if config.near_duplicates is None:
            return None
        from axolotl_alttrain.data.screening.duplicates import NearDuplicates

        return NearDuplicates(threshold=config.near_duplicates)

    def overlap(self, config: BuildConfig) -> Any:
        """A finder of overlaps, or None."""
        prompts = list(self.evaluation_prompts)
        if not config.overlap or not prompts:
            return None
        from axolotl_alttrain.data.screening.overlap import EvaluationOverlap

        return EvaluationOverlap(prompts)
