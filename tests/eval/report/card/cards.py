"""Results of a model card, as the Hub's own classes read them, and those that a run should give."""

from __future__ import annotations

from typing import Any

from huggingface_hub import ModelCard

SHA = "0123456789abcdef0123456789abcdef01234567"


def values(card: ModelCard) -> dict[tuple[str, str], Any]:
    return {(r.dataset_type, r.metric_type): r.metric_value for r in card.data.eval_results or ()}


def expected(summary: dict[str, Any]) -> dict[tuple[str, str], float]:
    sets = summary["runs"]["tuned"]["by_set"]
    return {
        (f"axolotl-alttrain/{name}", one["measure"]): round(100 * one["rate"]["value"], 2) for name, one in sets.items()
    }
