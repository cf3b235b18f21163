"""Runs that measure one adapter in several forms: their names, the reference, what is not compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from axolotl_alttrain.eval.compare.runs import Run
from axolotl_alttrain.eval.weights.form import shown


def named_by_form(runs: Sequence[Run]) -> list[Run]:
    """Name the runs of one adapter after their forms, and the bases beside them after how they were loaded.

    Runs of adapters that were measured in one form keep their names. A name that two runs would have is put behind the
    run's own. Checkpoints in another form than as trained become a training of their own.
    """
    several = [group for group in _by_adapter(runs) if len({run.form.kind for run in group if run.form}) > 1]
    homes = {folder for group in several for run in group for folder in run.folders}
    wanted: dict[int, str] = {id(run): run.form.kind for group in several for run in group if run.form}
    bases = [run for run in runs if run.form and run.form.kind == "base" and homes & set(run.folders)]
    if len({shown(run.form) for run in bases}) > 1:
        wanted |= {id(run): shown(run.form) for run in bases}
    taken = [wanted.get(id(run), run.name) for run in runs]
    named = []
    for run in runs:
        name = wanted.get(id(run), "")
        if name and run.training and name != "as-trained":
            run = replace(run, training=f"{run.training.rstrip('/')}, {name}")
        if name:
            run = replace(run, name=name if taken.count(name) == 1 else f"{run.name}, {name}")
        named.append(run)
    return named


def preferred_reference(runs: Sequence[Run]) -> Run:
    """The run that others are compared with: an adapter as it was trained if it has several forms, or the first."""
    for group in _by_adapter(runs):
        if len({run.form.kind for run in group if run.form}) > 1:
            return next((run for run in group if run.form and run.form.kind == "as-trained"), group[0])
    return runs[0]


def not_compared(runs: Sequence[Run]) -> dict[str, list[str]]:
    """By run, the forms of its adapter that no compared run measures; one entry for each adapter."""
    found = {}
    for group in _by_adapter(runs):
        common = set.intersection(*({*run.form.others} for run in group if run.form))
        if missing := [words for words in (group[0].form.others if group[0].form else ()) if words in common]:
            found[group[0].name] = missing
    return found


def _by_adapter(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each adapter, in order; runs without a known adapter are left out."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.form and run.adapter_identity:
            groups.setdefault(run.adapter_identity, []).append(run)
    return list(groups.values())
