"""The samples of a page as data: never markup, so that nothing a model wrote is executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axolotl_alttrain.eval.scoring.metrics import Scored


def browser_rows(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """One row for each prompt and repeat, with what each run said; those whose outcome differs come first."""
    rows: dict[tuple[str, str, int], dict[str, Any]] = {}
    for one in scored:
        prompt = one.prompt
        row = rows.setdefault(
            (prompt.set, prompt.id, one.sample.repeat),
            {
                "set": prompt.set,
                "scenario": prompt.scenario,
                "kind": prompt.kind,
                "category": prompt.category,
                "instruction": prompt.instruction,
                "runs": [],
            },
        )
        row["runs"].append(
            {
                "run": one.sample.run,
                "outcome": one.outcome,
                "verdict": one.reading.verdict,
                "judges": {name: j.verdict if j else None for name, j in one.judgements.items()},
                "thought": one.parsed.thought,
                "answer": one.parsed.answer,
            }
        )
    for row in rows.values():
        row["runs_differ"] = len({run["outcome"] for run in row["runs"]}) > 1
        row["judges_differ"] = any(len({v for v in run["judges"].values() if v}) > 1 for run in row["runs"])
    return sorted(rows.values(), key=lambda row: not row["runs_differ"])
