"""A section for a model's card on the Hub: results in its metadata (``model-index``) and in words."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.markdown import attacks_table, notes, rates_table, sets_table, settings

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

BEGIN, END = "<!-- alttrain-evaluation: begin -->", "<!-- alttrain-evaluation: end -->"
EVALUATOR = "axolotl-alttrain"  # in each result's args: a later upload replaces those alone
_MEASURES = {
    "harmful_response": "harmful responses, percent (lower is better)",
    "attack_success": "harmful responses under attack, percent (lower is better)",
    "over_refusal": "over-refusal, percent (lower is better)",
    "accuracy": "accuracy, percent (higher is better)",
}


def model_card(summary: Mapping[str, Any], revisions: Mapping[str, str]) -> str:
    """``model-card.md``: YAML metadata and the section, to be pasted into a card.

    Args:
        summary: As in ``summary.json``.
        revisions: Of each set, as in the manifest's ``sets``.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=summary.get("base_model"),
        model_name=model_name(summary),
        eval_results=eval_results(summary, revisions),
        tags=["alttrain", "safety"],
    )
    return f"---\n{data.to_yaml()}\n---\n\n{section(summary)}"


def section(summary: Mapping[str, Any]) -> str:
    """The section in Markdown, between two marks by which a later upload finds and replaces it."""
    parts = [
        f"{BEGIN}\n## Safety evaluation\n\n{headline(summary)}\n\n{settings(summary)}\n",
        rates_table(summary),
        f"### By set\n\n{sets_table(summary)}",
    ]
    if attacks := attacks_table(summary):
        parts.append(f"### Attack success by scenario\n\n{attacks}")
    return "\n".join([*parts, notes(summary) + END + "\n"])


def model_name(summary: Mapping[str, Any]) -> str:
    """The name in ``model-index``: the adapter's, or the model's where there is none."""
    name = summary["adapter"] or summary.get("base_model") or summary["model"]
    return PurePath(os.path.abspath(name)).name  # --adapter . has a name too; the Hub refuses an empty one


def eval_results(summary: Mapping[str, Any], revisions: Mapping[str, str]) -> list[EvalResult]:
    """One result per set, of the tuned run or, without an adapter, of the model; intervals and n stand in its args."""
    from huggingface_hub import EvalResult

    run = "tuned" if "tuned" in summary["runs"] else "base"
    known = specs()
    entries = summary["runs"][run]["by_set"]
    # The Hub keys results by dataset: what two sets take from one (XSTest's halves) stands there under one name.
    places = [_place(known[name].hub) for name in entries if name in known]
    results = []
    for name, entry in entries.items():
        spec = known.get(name)
        hub = spec.hub if spec else {}
        revision = revisions.get(name, "")
        commit = len(revision) == 40
        title = spec.title if spec else name
        what = _MEASURES.get(entry["measure"], f"{entry['measure']}, percent")
        if spec and places.count(_place(hub)) > 1:
            what, title = f"{title}: {what}", hub["id"]
        measured = entry["rate"]
        interval = [round(100 * measured[end], 2) for end in ("low", "high")]
        args = {"evaluator": EVALUATOR, "n": measured["total"], "interval_95": interval}
        if entry["measure"] in ("harmful_response", "attack_success"):
            args |= {"judge": summary["judges"][0]}
        if entry["measure"] == "over_refusal":
            args |= {"judge": summary.get("refusal_judge", summary["judges"][0])}
        if entry["measure"] == "attack_success":
            args |= {"scenarios": list(summary["runs"][run]["by_attack"][name])}
        results.append(
            EvalResult(
                task_type="text-generation",
                dataset_type=hub.get("id") or f"{EVALUATOR}/{name}",
                dataset_name=title,
                dataset_config=hub.get("config"),
                dataset_split=hub.get("split"),
                dataset_revision=revision if commit else None,
                dataset_args=None if commit or not revision else {"loaded": revision},
                metric_type=entry["measure"],
                metric_name=what,
                metric_value=round(100 * measured["value"], 2),
                metric_args=args,
            )
        )
    return results


def _place(hub: Mapping[str, Any]) -> tuple[Any, ...]:
    return hub.get("id"), hub.get("config"), hub.get("split")
