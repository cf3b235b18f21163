"""Paired differences of runs, with intervals and tests, and every single prompt whose outcome flipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from axolotl_alttrain.eval.compare.checkpoints import trainings
from axolotl_alttrain.eval.compare.runs import Run, check_pairs, unknown_rules
from axolotl_alttrain.eval.results.pairing import compare_rows, pair_key, unit
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS
from axolotl_alttrain.eval.scoring.metrics import METRICS, OUTCOMES, Metric
from axolotl_alttrain.eval.scoring.outcome import outcome_word
from axolotl_alttrain.eval.stats.clusters import rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import holm

from axolotl_alttrain.errors import AltTrainError


def compare_runs(runs: Sequence[Run], ignore: Sequence[str] = (), reference: str | None = None) -> dict[str, Any]:
    """All runs against one.

    Args:
        runs: As :func:`load_runs` gives them.
        ignore: Settings that may differ.
        reference: Name of the run that the others are compared with; None for the first.

    Returns:
        ``reference``; ``runs`` (name to rates over the ``prompts`` that all runs answered, each sample of a prompt
        counted); ``left_out`` (name to its rows that are not in all of them); ``origins`` (name to ``folders``,
        ``adapter`` and ``step``); ``trainings`` (name to its checkpoints as [step, run] by step); ``unknown_rules``
        (runs whose versions of metrics and judges are not recorded); and ``pairs``: per other run its name, ``shared``
        rows, rows of either run ``left_out``, ``metrics`` and ``by_set`` as in
        :func:`compare_rows`, ``also_differing`` (name to both values; see :class:`Run`'s origin). There the outcomes
        over all sets also have a ``p_holm``, adjusted over the outcomes of all pairs, ``minimum_detectable``
        differences (80 % power, 5 %) and ``flips``: each single prompt whose outcome changed.

    Raises:
        AltTrainError: No run is called ``reference``, or runs cannot be paired.
    """
    first = _reference(runs, reference)
    known_settings = dict.fromkeys([*(name for run in runs for name in run.settings), RULE_VERSIONS])
    if unknown := [name for name in ignore if name not in known_settings]:
        raise AltTrainError(f"--ignore: found {', '.join(unknown)}; allowed: {', '.join(known_settings)}")
    pairs = []
    for other in runs:
        if other is first:
            continue
        shared = check_pairs(first, other, ignore)
        found = compare_rows(first.rows, other.rows)
        tested = {m.name: found["metrics"][m.name] for m in OUTCOMES if found["metrics"][m.name]["pairs"]}
        detectable = {name: one["minimum_detectable"] for name, one in tested.items()}
        pairs.append(
            {
                "first": first.name,
                "second": other.name,
                "shared": shared,
                "left_out": len(first.rows) + len(other.rows) - 2 * shared,
                **found,
                "minimum_detectable": detectable,
                "also_differing": _also_differing(first, other),
                "flips": [_flip(*one) for one in flipped(first, other)],
            }
        )
    tests = [pair["metrics"][name] for pair in pairs for name in pair["minimum_detectable"]]
    for test, adjusted in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
        test["p_holm"] = adjusted
    common = set.intersection(*({pair_key(row) for row in run.rows} for run in runs))
    if not common:
        raise AltTrainError(
            f"no prompt was asked in all of {', '.join(run.name for run in runs)}; compare fewer of them at once"
        )
    rates = {
        run.name: {
            m.name: rate_over([row["metrics"][m.name] for row in some], [unit(row) for row in some]).as_dict()
            for m in METRICS
            for some in [[row for row in run.rows if m.name in row["metrics"] and pair_key(row) in common]]
        }
        for run in runs
    }
    origins = {run.name: {"folders": list(run.folders), "adapter": run.adapter, "step": run.step} for run in runs}
    return {
        "reference": first.name,
        "runs": rates,
        "prompts": len(common),
        "left_out": {run.name: len(run.rows) - len(common) for run in runs},
        "origins": origins,
        "trainings": {name: [list(point) for point in points] for name, points in trainings(runs).items()},
        "unknown_rules": unknown_rules(runs),
        "pairs": pairs,
    }


def flipped(first: Run, other: Run) -> list[tuple[Metric, dict[str, Any], dict[str, Any]]]:
    """(metric, row before, row now) for each outcome that changed, by metric and in the rows' order."""
    known = {pair_key(row): row for row in first.rows}
    return [
        (m, before, row)
        for m in OUTCOMES
        for row in other.rows
        if (before := known.get(pair_key(row)))
        and m.name in before["metrics"]
        and m.name in row["metrics"]
        and before["metrics"][m.name] != row["metrics"][m.name]
    ]


def direction(metric: Metric, row: Mapping[str, Any]) -> str:
    """Whether an outcome that changed to what ``row`` says became ``better`` or ``worse``."""
    return "better" if row["metrics"][metric.name] == (metric.better == "higher") else "worse"


def outcome(row: Mapping[str, Any]) -> str:
    """What became of a sample, from its row of ``scored.jsonl``."""
    judgement = row.get("judgement")
    truncated = row.get("truncated", judgement is None)
    return outcome_word(row.get("kind", ""), row.get("right"), truncated, judgement, row.get("refusal", judgement))


def _reference(runs: Sequence[Run], name: str | None) -> Run:
    if name is None:
        return runs[0]
    for run in runs:
        if run.name == name:
            return run
    raise AltTrainError(f"--reference: found {name}; allowed: {', '.join(run.name for run in runs)}")


def _also_differing(first: Run, other: Run) -> dict[str, list[Any]]:
    """What differs in the origins of two runs, as both name it."""
    return {
        name: [first.origin[name], other.origin[name]]
        for name in first.origin
        if name in other.origin and first.origin[name] != other.origin[name]
    }


def _flip(metric: Metric, before: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metric": metric.name,
        **{name: row[name] for name in ("set", "id", "instruction")},
        "repeat": row.get("repeat", 0),
        "now": row["metrics"][metric.name],
        "outcomes": [outcome(before), outcome(row)],
        "direction": direction(metric, row),
    }
