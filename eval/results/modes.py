"""Both modes of thinking of the same weights, paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from axolotl_alttrain.eval.backends.modes import OFF
from axolotl_alttrain.eval.results.pairing import compare_rows, paired_rows
from axolotl_alttrain.eval.results.run_results import PairedRun
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.clusters import rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, holm


def paired_modes(rows: Mapping[str, Sequence[ScoredRow]]) -> list[PairedRun]:
    """The paired comparisons of modes; none where one mode was measured.

    Args:
        rows: By run.
    """
    pairs = [
        PairedRun(
            first=first,
            second=second,
            rates=_rates(rows[first], rows[second]),
            **dict(compare_rows(rows[first], rows[second])),
        )
        for first, second in _pairs(tuple(rows))
    ]
    return _adjusted(pairs)


def _pairs(runs: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for run in runs:
        if run.removesuffix(OFF) != run and run.removesuffix(OFF) in runs:
            yield run.removesuffix(OFF), run
    if {f"base{OFF}", f"tuned{OFF}"} <= set(runs):
        yield f"base{OFF}", f"tuned{OFF}"


def _rates(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> dict[str, tuple[Rate, Rate]]:
    both = paired_rows(first, second)
    return {m.name: (_rate(m.name, [a for a, _ in both]), _rate(m.name, [b for _, b in both])) for m in METRICS}


def _rate(metric: str, rows: Sequence[ScoredRow]) -> Rate:
    some = [row for row in rows if metric in row.metrics]
    return rate_over([row.metrics[metric] for row in some], [row.unit for row in some])


def _adjusted(pairs: list[PairedRun]) -> list[PairedRun]:
    """The pairs, the tests of their outcomes adjusted together by Holm's method."""
    tested = [(pair, name) for pair in pairs for name, test in pair.metrics.items() if test.has_power]
    adjusted = iter(holm([pair.metrics[name].p_value for pair, name in tested]))
    result = []
    for pair in pairs:
        own = {
            name: pair.metrics[name].model_copy(update={"p_holm": next(adjusted)})
            for one, name in tested
            if one is pair
        }
        result.append(pair.model_copy(update={"metrics": pair.metrics | own}))
    return result
