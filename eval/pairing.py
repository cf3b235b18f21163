"""Two runs over the prompts that both answered: paired differences, tests and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .metrics import METRICS, Scored
from .statistics import holm, paired


def compare(base: Sequence[Scored], tuned: Sequence[Scored]) -> dict[str, Any]:
    """Paired comparison of two runs over the prompts both answered; see :func:`compare_rows`."""
    return compare_rows([s.as_row() for s in base], [s.as_row() for s in tuned])["metrics"]


def compare_rows(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Paired comparison of two runs from their rows of ``scored.jsonl``.

    Returns:
        ``metrics`` (name to pairs, gained, lost, difference with bootstrap ``low`` and ``high``, exact McNemar
        ``p_value``), and ``by_set``: the same per set for the outcomes (harmful responses, over-refusal,
        capability), with ``p_holm`` adjusted over all of these tests.
    """
    known = {pair_key(row): row for row in first}
    both = [(known[pair_key(row)], row) for row in second if pair_key(row) in known]

    def test(metric: str, name: str | None = None) -> dict[str, Any]:
        some = [
            (a["metrics"][metric], b["metrics"][metric])
            for a, b in both
            if metric in a["metrics"] and metric in b["metrics"] and name in (None, a["set"])
        ]
        return paired([a for a, _ in some], [b for _, b in some])

    by_set = [
        {"metric": metric.name, "set": name, **found}
        for metric in METRICS[:3]
        for name in dict.fromkeys(a["set"] for a, _ in both)
        if (found := test(metric.name, name))["pairs"]
    ]
    for row, adjusted in zip(by_set, holm([row["p_value"] for row in by_set]), strict=True):
        row["p_holm"] = adjusted
    return {"metrics": {metric.name: test(metric.name) for metric in METRICS}, "by_set": by_set}


def pair_key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    """What pairs two rows: set, id and number of the repeat."""
    return row["set"], row["id"], row.get("repeat", 0)
