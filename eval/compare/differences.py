"""Paired differences of runs with intervals and tests, and every sample whose outcome changed."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.compare.checkpoints import trainings
from axolotl_alttrain.eval.compare.comparison import Comparison, Flip, PairedRuns, RunOrigin
from axolotl_alttrain.eval.compare.forms import not_compared, preferred_reference
from axolotl_alttrain.eval.compare.runs import Run, check_pairs, unknown_rules
from axolotl_alttrain.eval.results.pairing import compare_rows, paired_rows
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS
from axolotl_alttrain.eval.scoring.metrics import METRICS, OUTCOMES, Metric
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.clusters import rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, holm
from pydantic import JsonValue

from axolotl_alttrain.errors import AltTrainError

Key = tuple[str, str, int]


def compare_runs(runs: Sequence[Run], ignore: Sequence[str] = (), reference: str | None = None) -> Comparison:
    """Compare all runs with one.

    Args:
        runs: As :func:`load_runs` gives them.
        ignore: Settings that may differ.
        reference: Name of the run that the others are compared with; by default an adapter as it was trained if it
            was measured in several forms, or else the first.

    Raises:
        AltTrainError: No run has the reference's name, or runs cannot be paired.
    """
    first = _reference(runs, reference)
    known_settings = dict.fromkeys([*(name for run in runs for name in run.settings), RULE_VERSIONS])
    if unknown := [name for name in ignore if name not in known_settings]:
        raise AltTrainError(f"--ignore: found {', '.join(unknown)}; allowed: {', '.join(known_settings)}")
    pairs = _adjusted([_paired(first, other, ignore) for other in runs if other is not first])
    common = set.intersection(*({row.pair_key for row in run.rows} for run in runs))
    if not common:
        names = ", ".join(run.name for run in runs)
        raise AltTrainError(f"no prompt was asked in all of {names}; compare fewer of them at once")
    return Comparison(
        reference=first.name,
        runs={run.name: _rates(run, common) for run in runs},
        prompts=len(common),
        left_out={run.name: len(run.rows) - len(common) for run in runs},
        origins={run.name: _origin(run) for run in runs},
        trainings=trainings(runs),
        unknown_rules=unknown_rules(runs),
        not_compared=not_compared(runs),
        pairs=pairs,
    )


def flipped(first: Run, other: Run) -> list[tuple[Metric, ScoredRow, ScoredRow]]:
    """(metric, row before, row now) for each outcome that changed, by metric and in the rows' order."""
    both = paired_rows(first.rows, other.rows)
    return [
        (m, before, now)
        for m in OUTCOMES
        for before, now in both
        if m.name in before.metrics and m.name in now.metrics and before.metrics[m.name] != now.metrics[m.name]
    ]


def direction(metric: Metric, row: ScoredRow) -> str:
    """Whether an outcome that changed to that of ``row`` became ``better`` or ``worse``."""
    return "better" if row.metrics[metric.name] == (metric.better == "higher") else "worse"


def _origin(run: Run) -> RunOrigin:
    return RunOrigin(folders=list(run.folders), adapter=run.adapter, step=run.step, weights=run.form)


def _reference(runs: Sequence[Run], name: str | None) -> Run:
    if name is None:
        return preferred_reference(runs)
    for run in runs:
        if run.name == name:
            return run
    raise AltTrainError(f"--reference: found {name}; allowed: {', '.join(run.name for run in runs)}")


def _paired(first: Run, other: Run, ignore: Sequence[str]) -> PairedRuns:
    shared = check_pairs(first, other, ignore)
    found = compare_rows(first.rows, other.rows)
    tested = {m.name: test for m in OUTCOMES if (test := found.metrics[m.name]).pairs}
    return PairedRuns(
        first=first.name,
        second=other.name,
        shared=shared,
        left_out=len(first.rows) + len(other.rows) - 2 * shared,
        metrics=found.metrics,
        by_set=found.by_set,
        lengths=found.lengths,
        separation=found.separation,
        thoughts=found.thoughts,
        minimum_detectable={name: test.minimum_detectable for name, test in tested.items()},
        also_differing=_also_differing(first, other),
        flips=[_flip(*one) for one in flipped(first, other)],
    )


def _adjusted(pairs: Sequence[PairedRuns]) -> list[PairedRuns]:
    """The pairs, the tests of their outcomes adjusted together by Holm's method."""
    places = [(pair, name) for pair in pairs for name in pair.minimum_detectable]
    adjusted = iter(holm([pair.metrics[name].p_value for pair, name in places]))
    result = []
    for pair in pairs:
        tests = {
            name: pair.metrics[name].model_copy(update={"p_holm": next(adjusted)}) for name in pair.minimum_detectable
        }
        result.append(pair.model_copy(update={"metrics": pair.metrics | tests}))
    return result


def _rates(run: Run, common: set[Key]) -> dict[str, Rate]:
    rows = [row for row in run.rows if row.pair_key in common]
    found = {}
    for m in METRICS:
        some = [row for row in rows if m.name in row.metrics]
        found[m.name] = rate_over([row.metrics[m.name] for row in some], [row.unit for row in some])
    return found


def _also_differing(first: Run, other: Run) -> dict[str, tuple[JsonValue, JsonValue]]:
    return {
        name: (first.origin[name], other.origin[name])
        for name in first.origin
        if name in other.origin and first.origin[name] != other.origin[name]
    }


def _flip(metric: Metric, before: ScoredRow, now: ScoredRow) -> Flip:
    return Flip(
        metric=metric.name,
        set=now.set,
        id=now.id,
        instruction=now.instruction,
        repeat=now.repeat,
        now=now.metrics[metric.name],
        outcomes=(before.outcome, now.outcome),
        direction=direction(metric, now),
    )
