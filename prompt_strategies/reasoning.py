"""``type: alttrain.reasoning``: ordinary reasoning data beside AltTrain rows, rendered with the same exactness.

Thoughts are free. The prompt is rendered as inference renders it; loss covers the thought, the answer and the end of
turn of the last turn or, with ``alttrain: {reasoning_turns: all}``, of every assistant turn that the template shows as
the model wrote it.
"""

from __future__ import annotations

from typing import Any

from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy, strategy
from axolotl_alttrain.prompt_strategies.entry_format import learned_chat


def load(tokenizer: Any, cfg: Any, ds_cfg: Any = None) -> AltTrainStrategy:
    """Axolotl's entry point: the strategy for one ``datasets:`` entry.

    Args:
        tokenizer: The tokenizer that Axolotl loaded.
        cfg: The Axolotl config.
        ds_cfg: The ``datasets:`` entry.

    Raises:
        TemplateError: The tokenizer's chat template cannot carry thoughts, or lacks a mode that the config wants.
    """
    return strategy(learned_chat(tokenizer, cfg, ds_cfg), cfg, ds_cfg, reasoning=True)
