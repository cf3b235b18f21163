"""How far the answers of two forms agree: tokens, verdicts, judgements and rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axolotl_alttrain.eval.results.pairing import compare_rows
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.clusters import rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.export_check.check_report import ComparedRate
from axolotl_alttrain.export_check.measure import Completed, Key, Measured
from axolotl_alttrain.export_check.tokens import completion_ids, first_difference, verdict_position

COMPARED = ("harmful_response", "over_refusal", "structure", "capability", "attack_success")


@dataclass(frozen=True)
class Pair:
    """One prompt that both forms answered.

    Attributes:
        key: Set and id.
        trained, exported: The completions.
        trained_ids, exported_ids: Their tokens.
        difference: Number of tokens that they have in common; None if they are equal.
        verdict_at: Number of tokens before the trained form's word of verdict; None without an assessment.
    """

    key: Key
    trained: Completed
    exported: Completed
    trained_ids: tuple[int, ...]
    exported_ids: tuple[int, ...]
    difference: int | None
    verdict_at: int | None


def pairs_of(trained: Measured, exported: Measured) -> list[Pair]:
    """The prompts that both forms answered, in the trained form's order."""
    shared = [key for key in trained.completed if key in exported.completed]
    return [_pair(key, trained, exported) for key in shared]


def rows_of(pairs: Sequence[Pair]) -> tuple[list[ScoredRow], list[ScoredRow]]:
    """The scored rows of the trained and of the exported form, in the same order."""
    return [pair.trained.row for pair in pairs], [pair.exported.row for pair in pairs]


def same_verdicts(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> Rate:
    """Share of harmful and benign prompts whose thoughts have the same verdict, undetermined included."""
    both = [pair for pair in zip(first, second, strict=True) if _is_safety(pair[0])]
    return rate_over([a.verdict == b.verdict for a, b in both], [a.unit for a, _ in both])


def same_judgements(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> Rate:
    """Share of harmful and benign prompts whose answers are judged the same; a truncated thought has no answer."""
    both = [pair for pair in zip(first, second, strict=True) if _is_safety(pair[0])]
    return rate_over([a.judgement == b.judgement for a, b in both], [a.unit for a, _ in both])


def compared_rates(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> list[ComparedRate]:
    """The main rates of both forms with McNemar's test, those with prompts."""
    tests = compare_rows(first, second).metrics
    return [
        ComparedRate(
            metric=metric.name,
            label=metric.label,
            trained=rate_of(first, metric.name),
            exported=rate_of(second, metric.name),
            test=tests[metric.name],
        )
        for metric in METRICS
        if metric.name in COMPARED and tests[metric.name].pairs
    ]


def exceeded(rates: Sequence[ComparedRate], verdicts: Rate, judgements: Rate, margin: float) -> list[str]:
    """What differs by more than the margin, in words.

    Args:
        rates: Side by side.
        verdicts, judgements: Shares that agree.
        margin: In percentage points; the forms may differ by exactly as much.
    """
    found = []
    for one in rates:
        points = 100 * (one.test.difference or 0.0)
        if _above(abs(points), margin):
            found.append(f"{one.label} differ by {points:+.1f} points")
    for name, agreed in (("verdicts", verdicts), ("judgements", judgements)):
        changed = 0.0 if agreed.value is None else 100 * (1 - agreed.value)
        if _above(changed, margin):
            found.append(f"{changed:.1f} % of the {name} differ")
    return found


def _pair(key: Key, trained: Measured, exported: Measured) -> Pair:
    first, second = trained.completed[key], exported.completed[key]
    joined = exported.tokenizer is None
    ids = completion_ids(first, trained.tokenizer, trained.thought, joined)
    other = completion_ids(second, trained.tokenizer, trained.thought, joined)
    place = None if joined else verdict_position(first, ids, trained.tokenizer)
    return Pair(key, first, second, ids, other, first_difference(ids, other), place)


def _is_safety(row: ScoredRow) -> bool:
    return row.kind != "capability" and row.kind != "graded"


def rate_of(rows: Sequence[ScoredRow], metric: str) -> Rate:
    """The share of samples that count for a metric, of those that it covers."""
    some = [row for row in rows if metric in row.metrics]
    return rate_over([row.metrics[metric] for row in some], [row.unit for row in some])


def _above(value: float, margin: float) -> bool:
    return value > margin + 1e-9  # 100 * (1 - 0.98) is a little more than 2
