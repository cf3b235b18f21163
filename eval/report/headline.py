"""The evaluation in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.eval.results.summary_tables import p_value
from axolotl_alttrain.eval.scoring.metrics import METRICS

_NAMES = {"harmful_response": "Harmful responses", "over_refusal": "over-refusal", "capability": "capability"}
_BETTER = {m.name: m.better for m in METRICS}


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
    if not test or test["difference"] is None:
        change, told = after - before, True
    else:
        change, told = test["difference"], test["p_value"] < 0.05
        p = p_value(test["p_value"])
        text += f" ({100 * change:+.1f} points, p {p if p.startswith('<') else '= ' + p})"
    if not told or not change:
        return "Not told apart", text
    return "Gained" if (change < 0) == (_BETTER[name] == "lower") else "Worse", text
