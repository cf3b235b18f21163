"""Which weights were measured, in words, and which other forms of the same adapter were not."""

from __future__ import annotations

from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.weights.form import shown


def measured(summary: Summary) -> str:
    """The form of the weights, in one sentence."""
    off = "" if summary.thinks(summary.main_run) else ", with thinking off"
    return f"Measured: {shown(summary.main_form)}{off}."


def measured_beside(summary: Summary) -> str:
    """The form of the base that was compared, and the adapter's other forms; empty if there is nothing to say."""
    base, form = summary.weights.get("base"), summary.main_form
    parts = [f"Base: {base.words}."] if base and summary.main_run != "base" else []
    if form and form.others:
        parts.append(f"Not measured here: {'; '.join(form.others)}.")
    return " ".join(parts)
