"""From scored samples to the summary's parts."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.judges.base import Judge
from axolotl_alttrain.eval.results.breakdown import by_attack, by_scenario, by_set
from axolotl_alttrain.eval.results.per_judge import agreements, judge_rates
from axolotl_alttrain.eval.results.run_results import RunResults
from axolotl_alttrain.eval.scoring.metrics import Scored, summarise
from axolotl_alttrain.eval.scoring.thought_structure import lengths, structure


def run_results(scored: Sequence[Scored], judges: Sequence[Judge]) -> RunResults:
    """Everything ``summary.json`` says of one run."""
    rates = summarise(scored)
    return RunResults(
        metrics=rates.metrics,
        tokens=rates.tokens,
        by_category=rates.by_category,
        lengths=lengths(scored),
        structure=structure(scored),
        judges=judge_rates(scored, judges),
        agreement=agreements(scored, judges),
        by_set=by_set(scored),
        by_scenario=by_scenario(scored),
        by_attack=by_attack(scored),
    )
