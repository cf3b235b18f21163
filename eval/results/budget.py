"""What a limit on thoughts changes: rates with and without the completions whose thought was closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axolotl_alttrain.eval.scoring.metrics import METRICS, Scored, share
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from pydantic import BaseModel


class BudgetResult(BaseModel, frozen=True):
    """One run under a limit on thoughts.

    Attributes:
        budgeted: Share of completions whose thought reached the limit and was closed.
        without: By metric, the rate over the other completions; ``metrics`` of the run has all of them.
    """

    budgeted: Rate
    without: dict[str, Rate]


def budget_results(by_run: Mapping[str, Sequence[Scored]]) -> dict[str, BudgetResult]:
    """Every run that was asked to think, by name."""
    return {run: _result(scored) for run, scored in by_run.items() if all(one.thinks for one in scored)}


def _result(scored: Sequence[Scored]) -> BudgetResult:
    own = [one for one in scored if not one.sample.budgeted]
    return BudgetResult(
        budgeted=share(scored, lambda one: one.sample.budgeted),
        without={m.name: share((one for one in own if m.covers(one)), m.counts) for m in METRICS},
    )
