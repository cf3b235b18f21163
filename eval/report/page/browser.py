"""The samples of a page as data: never as markup, so that nothing a model wrote is executed."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.scoring.metrics import Scored
from pydantic import BaseModel


class BrowserRun(BaseModel, frozen=True):
    """What one run said to a prompt, and what the judges say of it."""

    run: str
    outcome: str
    verdict: str | None
    judges: dict[str, str | None]
    thought: str | None
    answer: str | None
    budgeted: bool = False


class BrowserRow(BaseModel, frozen=True):
    """One entry of a page's list of samples; ``browser.js`` filters by the fields that are set."""

    set: str | None = None
    scenario: str | None = None
    kind: str | None = None
    category: str | None = None
    instruction: str | None = None
    pair: str | None = None
    metric: str | None = None
    direction: str | None = None
    change: str | None = None
    runs_differ: bool = False
    judges_differ: bool = False
    runs: tuple[BrowserRun, ...]


def browser_rows(scored: Sequence[Scored]) -> list[BrowserRow]:
    """One row for each prompt and repeat with what each run said; rows whose outcomes differ come first."""
    groups: dict[tuple[str, str, int], list[Scored]] = {}
    for one in scored:
        groups.setdefault((one.prompt.set, one.prompt.id, one.sample.repeat), []).append(one)
    return sorted(map(_row, groups.values()), key=lambda row: not row.runs_differ)


def _row(some: Sequence[Scored]) -> BrowserRow:
    prompt, runs = some[0].prompt, tuple(map(_run, some))
    return BrowserRow(
        set=prompt.set,
        scenario=prompt.scenario,
        kind=prompt.kind,
        category=prompt.category,
        instruction=prompt.instruction,
        runs=runs,
        runs_differ=len({run.outcome for run in runs}) > 1,
        judges_differ=any(len({v for v in run.judges.values() if v}) > 1 for run in runs),
    )


def _run(one: Scored) -> BrowserRun:
    mark = {"budgeted": True} if one.sample.budgeted else {}
    return BrowserRun(
        **mark,
        run=one.sample.run,
        outcome=one.outcome,
        verdict=one.reading.verdict,
        judges={name: j.verdict if j else None for name, j in one.judgements.items()},
        thought=one.parsed.thought,
        answer=one.parsed.answer,
    )
