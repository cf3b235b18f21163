"""The names under which pages show what is measured on a set."""

from __future__ import annotations

MEASURES = {  # as in `SetResult.measure`, in the order in which pages group sets
    "harmful_response": "harmful responses",
    "attack_success": "harmful responses under attack",
    "over_refusal": "over-refusal",
    "accuracy": "accuracy",
}


def measure_label(measure: str) -> str:
    """The name of a measure; a set scored by degree has its metric's own name."""
    return MEASURES.get(measure, measure)


def better(measure: str) -> str:
    """``lower`` or ``higher``."""
    return "lower" if measure in MEASURES and measure != "accuracy" else "higher"
