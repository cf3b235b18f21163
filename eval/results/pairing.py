"""Two runs over the prompts that both answered: paired differences, tests and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from axolotl_alttrain.eval.scoring.metrics import METRICS, TESTED, Scored
from axolotl_alttrain.eval.stats.clusters import differences_of, paired_means, paired_over
from axolotl_alttrain.eval.stats.intervals_and_tests import bootstrap_mean, holm
from axolotl_alttrain.eval.stats.power import minimum_detectable_difference

Rows = Sequence[Mapping[str, Any]]


def compare(base: Sequence[Scored], tuned: Sequence[Scored]) -> dict[str, Any]:
    """Paired comparison of two runs over the prompts both answered; see :func:`compare_rows`."""
    return compare_rows([s.as_row() for s in base], [s.as_row() for s in tuned])["metrics"]


def compare_rows(first: Rows, second: Rows) -> dict[str, Any]:
    """Paired comparison of two runs from their rows of ``scored.jsonl``.

    Returns:
        ``metrics``: name to pairs, units, gained, lost, difference with bootstrap ``low`` and ``high``, and the
        ``p_value`` of its ``test``, see :func:`~eval.clusters.paired_over`, of the tested ones also the
        ``minimum_detectable`` difference (80 % power, 5 %). ``by_set``: the same per set for the
        outcomes (harmful responses, over-refusal, capability) and, under its measure's name, of each graded set, with
        ``p_holm`` adjusted over all of these tests.
        ``lengths``: see :func:`compare_lengths`.
    """
    known = {pair_key(row): row for row in first}
    both = [(known[pair_key(row)], row) for row in second if pair_key(row) in known]

    def test(metric: str, name: str | None = None) -> dict[str, Any]:
        some = [
            (a["metrics"][metric], b["metrics"][metric], unit(a))
            for a, b in both
            if metric in a["metrics"] and metric in b["metrics"] and name in (None, a["set"])
        ]
        return paired_over([a for a, _, _ in some], [b for _, b, _ in some], [one for _, _, one in some])

    by_set = [
        {"metric": metric.name, "set": name, **found}
        for metric in TESTED
        for name in dict.fromkeys(a["set"] for a, _ in both)
        if (found := test(metric.name, name))["pairs"]
    ]
    by_set += _graded(both)
    for row, adjusted in zip(by_set, holm([row["p_value"] for row in by_set]), strict=True):
        row["p_holm"] = adjusted
    metrics = {metric.name: test(metric.name) for metric in METRICS}
    for metric in TESTED:
        if (one := metrics[metric.name])["pairs"]:
            changed = (one["gained"] + one["lost"]) / one["pairs"]
            one["minimum_detectable"] = minimum_detectable_difference(one["units"], changed)
    return {"metrics": metrics, "by_set": by_set, "lengths": compare_lengths(both)}


def _graded(both: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The paired difference of the mean for each graded set, by a sign-flip permutation test over prompts."""
    result = []
    for name in dict.fromkeys(a["set"] for a, _ in both if a.get("graded")):
        some = [(a, b) for a, b in both if a["set"] == name and b.get("graded")]
        before, after = ([float(pair[i]["graded"][1]) for pair in some] for i in (0, 1))
        found = paired_means(before, after, [unit(a) for a, _ in some])
        result.append({"metric": some[0][0]["graded"][0], "set": name, **found})
    return result


def compare_lengths(both: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, Any]:
    """How much longer the second run's thoughts and answers are.

    Args:
        both: Pairs of rows of ``scored.jsonl``.

    Returns:
        By kind of prompt ``thought`` and ``answer``, each with ``pairs`` and, in tokens, the mean of ``first`` and
        ``second`` and their ``difference`` with its bootstrap interval over prompts, ``low`` and ``high``.
    """
    result: dict[str, Any] = {}
    for kind in dict.fromkeys(a["kind"] for a, _ in both):
        some = [pair for pair in both if pair[0]["kind"] == kind]
        result[kind] = {}
        for part in ("thought", "answer"):
            before, after = ([pair[i][f"{part}_tokens"] for pair in some] for i in (0, 1))
            low, high = bootstrap_mean(*differences_of(before, after, [unit(a) for a, _ in some])) or (None, None)
            mean = (fmean(before), fmean(after))
            result[kind][part] = {
                "pairs": len(some),
                "first": mean[0],
                "second": mean[1],
                "difference": mean[1] - mean[0],
                "low": low,
                "high": high,
            }
    return result


def pair_key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    """What pairs two rows: set, id and number of the repeat."""
    return row["set"], row["id"], row.get("repeat", 0)


def unit(row: Mapping[str, Any]) -> tuple[str, str]:
    """What rows are independent over: the prompt, whatever its attacks and repeats."""
    return row["set"], row.get("source_id") or row["id"]
