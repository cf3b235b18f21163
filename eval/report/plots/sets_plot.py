"""Every set of one evaluation in one forest plot."""

from __future__ import annotations

from axolotl_alttrain.eval.report.measures import MEASURES, better, measure_label
from axolotl_alttrain.eval.report.plots.forest import ForestGroup, ForestRow, forest
from axolotl_alttrain.eval.report.plots.svg import Plot, said
from axolotl_alttrain.eval.report.tables.numbers import p_text
from axolotl_alttrain.eval.results.summary import Summary


def by_set(summary: Summary) -> Plot:
    """One row per set, grouped by measure: the runs' rates and, of two runs, the paired difference."""
    measures = {name: summary.one_run.by_set[name].measure for name in summary.sets}
    order = [*MEASURES, *dict.fromkeys(m for m in measures.values() if m not in MEASURES)]
    grouped = {measure: [name for name in measures if measures[name] == measure] for measure in order}
    groups = [
        ForestGroup(_title(measure), [_row(summary, name) for name in names])
        for measure, names in grouped.items()
        if names
    ]
    words = [_words(summary, name) for names in grouped.values() for name in names]
    caption = "Left: 95 % Wilson intervals; for sets scored by degree (diamonds), the mean with its bootstrap interval."
    if any(row.test for group in groups for row in group.rows):
        caption += (
            " Right: tuned minus base over the same prompts, 95 % bootstrap intervals; p is adjusted over all of these "
            "tests (Holm)."
        )
    return Plot(forest(groups, "tuned − base"), f"Forest plot of every set. {'; '.join(words)}.", caption)


def _title(measure: str) -> str:
    mean = "" if measure in MEASURES else ", mean"
    return f"{measure_label(measure)}{mean} ({better(measure)} is better)"


def _row(summary: Summary, name: str) -> ForestRow:
    results = {run: one.by_set[name] for run, one in summary.runs.items()}
    first = summary.one_run.by_set[name]
    return ForestRow(
        label=f"{name} (n={first.rate.total})",
        rates={run: result.rate for run, result in results.items()},
        test=summary.set_test(name),
        diamond=first.kind == "graded",
    )


def _words(summary: Summary, name: str) -> str:
    parts = [f"{run} {said(one.by_set[name].rate)}" for run, one in summary.runs.items()]
    test = summary.set_test(name)
    if test and test.difference is not None:
        parts.append(f"difference {100 * test.difference:+.1f} points, adjusted p {p_text(test.p_holm)}")
    return f"{name}, {measure_label(summary.one_run.by_set[name].measure)}: {', '.join(parts)}"
