"""Means over training seeds, with the interval over seeds beside the one over prompts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from statistics import fmean

from axolotl_alttrain.eval.compare.runs import check_pairs
from axolotl_alttrain.eval.compare.seeds.seed_groups import SeedGroup
from axolotl_alttrain.eval.results.separation import separations
from axolotl_alttrain.eval.scoring.metrics import METRICS, OUTCOMES, Metric
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.clusters import paired_means, paired_over, rate_over
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.over_seeds import SeedDifference, SeedMean, difference_over_seeds, mean_over_seeds
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.eval.weights.form import shown
from pydantic import BaseModel

from axolotl_alttrain.errors import AltTrainError

SHOWN = (*OUTCOMES, *(m for m in METRICS if m.name in ("structure", "verdict_accuracy")))
Key = tuple[str, str, int]


class Measure(BaseModel, frozen=True):
    """What is compared: a metric over all sets, or on one set."""

    metric: str
    set: str | None = None

    def covers(self, row: ScoredRow) -> bool:
        """Whether a sample belongs to it."""
        return self.metric in row.metrics and self.set in (None, row.set)


class GroupMeasure(Measure, frozen=True):
    """A measure of one group.

    Attributes:
        seeds: The mean over the trainings, with the interval for other seeds on these prompts.
        prompts: The same share over all samples, with the interval for other prompts and these seeds: the unit is the
            prompt, whatever the number of seeds that answered it.
    """

    seeds: SeedMean
    prompts: Rate


class MeasureDifference(Measure, frozen=True):
    """The difference of a measure between a group and the reference, group minus reference.

    Attributes:
        seeds: Of the means over seeds; Welch's interval and test.
        prompts: Paired over the prompts that every run answered, each prompt's answers averaged over the seeds.
    """

    seeds: SeedDifference
    prompts: PairedTest


class GroupResult(BaseModel, frozen=True):
    """A group.

    Attributes:
        folders: One for each training.
        weights: Which weights were measured, in words.
        trained: Whether it is a training.
        measures: Over the samples that all runs of all groups have.
        areas: By harmful and benign set, as ``HARMFUL against BENIGN``, the area under the ROC curve of the verdicts'
            scores; only sets for which every run has scores.
        differences: Against the reference; empty for the reference itself.
    """

    folders: list[str]
    weights: str
    trained: bool
    measures: list[GroupMeasure]
    areas: dict[str, SeedMean] = {}
    differences: list[MeasureDifference] = []


class SeedComparison(BaseModel, frozen=True):
    """``seeds.json``.

    Attributes:
        reference: The group that the others are compared with.
        prompts: Samples that every run has.
        groups: By name.
    """

    reference: str
    prompts: int
    groups: dict[str, GroupResult]

    def as_json(self) -> str:
        """The text of ``seeds.json``."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def compare_groups(
    groups: Sequence[SeedGroup], ignore: Sequence[str] = (), reference: str | None = None
) -> SeedComparison:
    """Compare groups of trainings.

    Args:
        groups: As :func:`~axolotl_alttrain.eval.compare.seeds.seed_groups.load_groups` gives them.
        ignore: Settings that may differ.
        reference: Name of a group; by default the first, which is the base if there is one.

    Raises:
        AltTrainError: No group has the reference's name, or the runs cannot be paired.
    """
    names = [group.name for group in groups]
    if reference is not None and reference not in names:
        raise AltTrainError(f"--reference: found {reference}; allowed: {', '.join(names)}")
    first = groups[names.index(reference) if reference else 0]
    for group in groups:
        if group is not first:
            check_pairs(first.runs[0], group.runs[0], ignore)
    rows = {group.name: [{row.pair_key: row for row in run.rows} for run in group.runs] for group in groups}
    common = set.intersection(*(set(run) for some in rows.values() for run in some))
    if not common:
        raise AltTrainError(f"no prompt was asked in all runs of {', '.join(names)}; compare fewer of them at once")
    kept = {name: [[row for key, row in run.items() if key in common] for run in some] for name, some in rows.items()}
    measures = list(_measures(kept[first.name][0]))
    return SeedComparison(
        reference=first.name,
        prompts=len(common),
        groups={
            group.name: GroupResult(
                folders=group.folders,
                weights=shown(group.runs[0].form),
                trained=group.trained,
                measures=[_measured(one, kept[group.name]) for one in measures],
                areas=_areas(kept[group.name]),
                differences=[_difference(one, kept[first.name], kept[group.name]) for one in measures]
                if group is not first
                else [],
            )
            for group in groups
        },
    )


def _measures(rows: Sequence[ScoredRow]) -> Iterator[Measure]:
    """Each metric that some sample has and, if it covers several sets, an outcome on each of them."""
    for metric in SHOWN:
        sets = dict.fromkeys(row.set for row in rows if metric.name in row.metrics)
        if sets:
            yield Measure(metric=metric.name)
        if len(sets) > 1 and metric in OUTCOMES:
            yield from (Measure(metric=metric.name, set=name) for name in sets)


def metric_of(measure: Measure) -> Metric:
    """The metric of a measure."""
    return next(m for m in METRICS if m.name == measure.metric)


def _measured(measure: Measure, runs: Sequence[Sequence[ScoredRow]]) -> GroupMeasure:
    covered = [[row for row in run if measure.covers(row)] for run in runs]
    rows = [row for run in covered for row in run]
    return GroupMeasure(
        metric=measure.metric,
        set=measure.set,
        seeds=mean_over_seeds([fmean(row.metrics[measure.metric] for row in run) for run in covered]),
        prompts=rate_over([row.metrics[measure.metric] for row in rows], [row.unit for row in rows]),
    )


def _areas(runs: Sequence[Sequence[ScoredRow]]) -> dict[str, SeedMean]:
    found = [{f"{one.harmful} against {one.benign}": one.area.value for one in separations(rows)} for rows in runs]
    return {
        sets: mean_over_seeds([one[sets] for one in found]) for sets in found[0] if all(sets in one for one in found)
    }


def _difference(
    measure: Measure, reference: Sequence[Sequence[ScoredRow]], group: Sequence[Sequence[ScoredRow]]
) -> MeasureDifference:
    before, after = (_measured(measure, side).seeds.values for side in (reference, group))
    return MeasureDifference(
        metric=measure.metric,
        set=measure.set,
        seeds=difference_over_seeds(before, after),
        prompts=_over_prompts(measure, reference, group),
    )


def _over_prompts(
    measure: Measure, reference: Sequence[Sequence[ScoredRow]], group: Sequence[Sequence[ScoredRow]]
) -> PairedTest:
    units = {row.pair_key: row.unit for row in reference[0] if measure.covers(row)}
    before, after = ([_shares(measure, side)[key] for key in units] for side in (reference, group))
    if {*before, *after} <= {0.0, 1.0}:  # every prompt has one outcome: McNemar's test and Newcombe's interval apply
        return paired_over([bool(x) for x in before], [bool(x) for x in after], list(units.values()))
    return paired_means(before, after, list(units.values()))


def _shares(measure: Measure, runs: Sequence[Sequence[ScoredRow]]) -> dict[Key, float]:
    """Of each sample, the share of seeds for which it counts."""
    found: dict[Key, list[bool]] = {}
    for run in runs:
        for row in run:
            if measure.covers(row):
                found.setdefault(row.pair_key, []).append(row.metrics[measure.metric])
    return {key: fmean(flags) for key, flags in found.items()}
