"""A section for a model's card on the Hub: results in its metadata (``model-index``) and in words."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from axolotl_alttrain.eval.prompts.sets import SetSpec, specs
from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.markdown import notes, sections, settings
from axolotl_alttrain.eval.report.measures import MEASURES, better, measure_label
from axolotl_alttrain.eval.report.tables import as_markdown
from axolotl_alttrain.eval.report.tables.summary_tables import (
    attacks_table,
    missing_table,
    rates_table,
    separation_table,
    sets_table,
    thoughts_table,
)
from axolotl_alttrain.eval.results.run_results import RunResults, SetResult
from axolotl_alttrain.eval.results.summary import Summary

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

BEGIN, END = "<!-- alttrain-evaluation: begin -->", "<!-- alttrain-evaluation: end -->"
EVALUATOR = "axolotl-alttrain"  # in each result's args: a later upload replaces only results that carry it


def model_card(summary: Summary, revisions: Mapping[str, str]) -> str:
    """``model-card.md``: YAML metadata and the section, ready to be pasted into a card.

    Args:
        summary: As in ``summary.json``.
        revisions: Of each set, as in the manifest's ``sets``.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=summary.base_model,
        model_name=model_name(summary),
        eval_results=eval_results(summary, revisions),
        tags=["alttrain", "safety"],
    )
    return f"---\n{data.to_yaml()}\n---\n\n{section(summary)}"


def section(summary: Summary) -> str:
    """The section in Markdown, between two marks by which a later upload finds and replaces it."""
    opening = f"{BEGIN}\n## Safety evaluation\n\n{headline(summary)}\n\n{settings(summary)}\n"
    which = (sets_table, separation_table, thoughts_table, attacks_table, missing_table)
    tables = sections([table(summary) for table in which], level=3)
    return "\n".join([opening, as_markdown(rates_table(summary)), *tables, notes(summary) + END + "\n"])


def model_name(summary: Summary) -> str:
    """The name in ``model-index``: of the adapter or of the whole tuned model, or else of the base."""
    name = summary.tuned_name or summary.base_name
    return PurePath(os.path.abspath(name)).name  # --adapter . has a name too; the Hub refuses an empty one


def eval_results(summary: Summary, revisions: Mapping[str, str]) -> list[EvalResult]:
    """One result per set, of the tuned run or, without an adapter, of the model; its args hold interval and n."""
    run = summary.runs[summary.main_run]
    known = specs()
    # The Hub keys results by data set: two sets taken from one (XSTest's halves) stand there under one name.
    places = [_place(known[name]) for name in run.by_set if name in known]
    return [_eval_result(summary, run, name, known.get(name), places, revisions.get(name, "")) for name in run.by_set]


def _eval_result(
    summary: Summary,
    run: RunResults,
    name: str,
    spec: SetSpec | None,
    places: list[tuple[str | None, ...]],
    revision: str,
) -> EvalResult:
    from huggingface_hub import EvalResult

    result = run.by_set[name]
    hub = spec.hub if spec else None
    is_commit = len(revision) == 40
    title, what = spec.title if spec else name, _metric_name(result.measure)
    if spec and places.count(_place(spec)) > 1:
        title, what = spec.hub.id, f"{title}: {what}"
    return EvalResult(
        task_type="text-generation",
        dataset_type=hub.id if hub else f"{EVALUATOR}/{name}",
        dataset_name=title,
        dataset_config=hub.config if hub else None,
        dataset_split=hub.split if hub else None,
        dataset_revision=revision if is_commit else None,
        dataset_args=None if is_commit or not revision else {"loaded": revision},
        metric_type=result.measure,
        metric_name=what,
        metric_value=_percent(result.rate.value),
        metric_args=_metric_args(summary, result, list(run.by_attack.get(name, ()))),
    )


def _metric_args(summary: Summary, result: SetResult, scenarios: list[str]) -> dict[str, object]:
    rate = result.rate
    interval = [_percent(rate.low), _percent(rate.high)]
    args: dict[str, object] = {"evaluator": EVALUATOR, "n": rate.total, "interval_95": interval}
    if summary.main_form:
        args["weights"] = summary.main_form.words
    if result.measure in ("harmful_response", "attack_success"):
        args["judge"] = summary.judges[0]
    if result.measure == "over_refusal":
        args["judge"] = summary.refusals_by
    if result.measure == "attack_success":
        args["scenarios"] = scenarios
    return args


def _metric_name(measure: str) -> str:
    direction = f" ({better(measure)} is better)" if measure in MEASURES else ""
    return f"{measure_label(measure)}, percent{direction}"


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def _place(spec: SetSpec) -> tuple[str | None, ...]:
    return spec.hub.id, spec.hub.config, spec.hub.split
