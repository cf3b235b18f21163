"""Two runs over the prompts that both answered: paired differences, tests and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from axolotl_alttrain.eval.results.run_results import PairedLength, PairedLengths, PairedResults, SetTest
from axolotl_alttrain.eval.results.separation import separation_tests
from axolotl_alttrain.eval.results.thoughts import thought_tests
from axolotl_alttrain.eval.scoring.metrics import METRICS, TESTED
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.clusters import differences_of, paired_means, paired_over
from axolotl_alttrain.eval.stats.intervals_and_tests import bootstrap_mean, holm
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.eval.stats.power import minimum_detectable_difference

Pairs = Sequence[tuple[ScoredRow, ScoredRow]]


def compare_rows(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> PairedResults:
    """Paired comparison of two runs over the prompts that both answered."""
    both = paired_rows(first, second)
    by_set = _outcomes_by_set(both) + _graded(both)
    adjusted = holm([test.p_value for test in by_set])
    return PairedResults(
        metrics={m.name: _with_power(test) if m in TESTED else test for m in METRICS for test in [_test(both, m.name)]},
        by_set=[test.model_copy(update={"p_holm": p}) for test, p in zip(by_set, adjusted, strict=True)],
        lengths={
            kind: _lengths([p for p in both if p[0].kind == kind]) for kind in dict.fromkeys(a.kind for a, _ in both)
        },
        separation=separation_tests(both),
        thoughts=thought_tests(both),
    )


def paired_rows(first: Sequence[ScoredRow], second: Sequence[ScoredRow]) -> list[tuple[ScoredRow, ScoredRow]]:
    """The rows of the same prompt and repeat, in the second run's order."""
    known = {row.pair_key: row for row in first}
    return [(known[row.pair_key], row) for row in second if row.pair_key in known]


def _test(both: Pairs, metric: str) -> PairedTest:
    some = [
        (a.metrics[metric], b.metrics[metric], a.unit) for a, b in both if metric in a.metrics and metric in b.metrics
    ]
    return paired_over([a for a, _, _ in some], [b for _, b, _ in some], [unit for *_, unit in some])


def _with_power(test: PairedTest) -> PairedTest:
    """A test with the smallest difference that its pairs can show; unchanged without pairs."""
    if not test.pairs:
        return test
    changed = (test.gained + test.lost) / test.pairs
    return test.model_copy(update={"minimum_detectable": minimum_detectable_difference(test.units, changed)})


def _outcomes_by_set(both: Pairs) -> list[SetTest]:
    return [
        _of_set(metric.name, name, test)
        for metric in TESTED
        for name in dict.fromkeys(a.set for a, _ in both)
        if (test := _test([pair for pair in both if pair[0].set == name], metric.name)).pairs
    ]


def _graded(both: Pairs) -> list[SetTest]:
    """The paired difference of the mean on each set scored by degree, by a sign-flip permutation test over prompts."""
    graded = [(a, b, a.graded, b.graded) for a, b in both if a.graded and b.graded]
    result = []
    for name in dict.fromkeys(a.set for a, *_ in graded):
        some = [one for one in graded if one[0].set == name]
        before, after = [one[2][1] for one in some], [one[3][1] for one in some]
        result.append(_of_set(some[0][2][0], name, paired_means(before, after, [one[0].unit for one in some])))
    return result


def _of_set(metric: str, name: str, test: PairedTest) -> SetTest:
    return SetTest(metric=metric, set=name, **test.model_dump(exclude_unset=True))


def _lengths(both: Pairs) -> PairedLengths:
    units = [a.unit for a, _ in both]
    return PairedLengths(
        thought=_length([(a.thought_tokens, b.thought_tokens) for a, b in both], units),
        answer=_length([(a.answer_tokens, b.answer_tokens) for a, b in both], units),
    )


def _length(tokens: Sequence[tuple[int, int]], units: Sequence[tuple[str, str]]) -> PairedLength:
    before, after = [a for a, _ in tokens], [b for _, b in tokens]
    low, high = bootstrap_mean(*differences_of(before, after, units)) or (None, None)
    first, second = fmean(before), fmean(after)
    return PairedLength(pairs=len(tokens), first=first, second=second, difference=second - first, low=low, high=high)
