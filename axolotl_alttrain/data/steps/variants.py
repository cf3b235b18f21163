"""Other data sets from the same assessed rows: the paper's ablations, other sizes and other shares of benign rows.

A row that goes without a step says so in ``omitted``; ``type: alttrain`` trains it as it is.
"""

from __future__ import annotations

from dataclasses import replace

from axolotl_alttrain.data.build_config import VariantConfig
from axolotl_alttrain.data.steps.conditional import rephrased
from axolotl_alttrain.format.example import AltTrainExample


def varied(example: AltTrainExample, variant: VariantConfig, seed: int) -> AltTrainExample:
    """One row of a variant."""
    if variant.rephrase:
        example = rephrased(example, seed)
    if not variant.omit:
        return example
    emptied = dict.fromkeys(variant.omit, "")
    return replace(example, omitted=tuple(dict.fromkeys((*example.omitted, *variant.omit))), **emptied)  # type: ignore[arg-type]
