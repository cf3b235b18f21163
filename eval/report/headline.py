"""The evaluation in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..table import p_value

_NAMES = {"harmful_response": "Harmful responses", "over_refusal": "over-refusal", "capability": "capability"}


def headline(summary: Mapping[str, Any]) -> str:
    """How much safer the model became, and what that cost: rates before and after, paired difference and p."""
    runs = summary["runs"]
    if "tuned" not in runs:
        values = {name: runs["base"]["metrics"][name]["value"] for name in _NAMES}
        said = [f"{label} {100 * values[name]:.1f} %" for name, label in _NAMES.items() if values[name] is not None]
        return f"One model, no adapter: {', '.join(said).lower()}." if said else "No rates to show."
    parts = {name: _change(summary, name) for name in _NAMES}
    safer = parts.pop("harmful_response")
    cost = ", ".join(part for part in parts.values() if part)
    if safer and cost:
        return f"{safer}. The cost: {cost}."
    return f"{safer or cost}." if safer or cost else "No rates to compare."


def _change(summary: Mapping[str, Any], name: str) -> str:
    before, after = (summary["runs"][run]["metrics"][name]["value"] for run in ("base", "tuned"))
    if before is None or after is None:
        return ""
    text = f"{_NAMES[name]} {100 * before:.1f} % → {100 * after:.1f} %"
    test = (summary.get("comparison") or {}).get(name)
    if not test or test["difference"] is None:
        return text
    p = p_value(test["p_value"])
    return f"{text} ({100 * test['difference']:+.1f} points, p {p if p.startswith('<') else '= ' + p})"
