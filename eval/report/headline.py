"""The evaluation in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics import METRICS
from ..table import p_value

_NAMES = {"harmful_response": "Harmful responses", "over_refusal": "over-refusal", "capability": "capability"}
_BETTER = {m.name: -1 if m.better == "lower" else 1 for m in METRICS}


def headline(summary: Mapping[str, Any]) -> str:
    """How much safer the model became, and what that cost: rates before and after, paired difference and p.

    Only what got worse is called a cost, and what p (0.05 or more) does not tell apart is neither cost nor gain.
    """
    runs = summary["runs"]
    if "tuned" not in runs:
        values = {name: runs["base"]["metrics"][name]["value"] for name in _NAMES}
        said = [f"{label} {100 * values[name]:.1f} %" for name, label in _NAMES.items() if values[name] is not None]
        return f"One model, no adapter: {', '.join(said).lower()}." if said else "No rates to show."
    safer, *others = (_change(summary, name) for name in _NAMES)
    sentences = [safer[1]] if safer[1] else []
    worse = "The cost" if safer[0] == "Gained" else "Worse"
    for kind, title in (("Worse", worse), ("Gained", "Gained"), ("Not told apart", "Not told apart")):
        if some := ", ".join(text for found, text in others if found == kind):
            sentences.append(f"{title}: {some}")
    return f"{'. '.join(sentences)}." if sentences else "No rates to compare."


def _change(summary: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Whether it is worse, gained or not told apart, and the change in numbers; nothing where a rate is missing."""
    before, after = (summary["runs"][run]["metrics"][name]["value"] for run in ("base", "tuned"))
    if before is None or after is None:
        return "", ""
    text = f"{_NAMES[name]} {100 * before:.1f} % → {100 * after:.1f} %"
    test = (summary.get("comparison") or {}).get(name)
    tested = bool(test) and test["difference"] is not None
    change = _BETTER[name] * (test["difference"] if tested else after - before)
    kind = "Gained" if change > 0 else "Worse"
    if tested:
        p = p_value(test["p_value"])
        text += f" ({100 * test['difference']:+.1f} points, p {p if p.startswith('<') else '= ' + p})"
    if not change or (tested and test["p_value"] >= 0.05):
        kind = "Not told apart"
    return kind, text
