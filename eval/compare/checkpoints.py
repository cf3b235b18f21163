"""What runs have to do with one another: the same base in several folders, checkpoints of one training."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from axolotl_alttrain.eval.compare.runs import Run

_CHECKPOINT = re.compile(r"(.*?)checkpoint-(\d+)/*")


def place(adapter: str | None, folder: Path) -> tuple[int | None, str | None]:
    """Step and training of a run, from its adapter's name or else from its folder's.

    Returns:
        N of ``checkpoint-N`` at the name's end and what stands in front of it; twice None without such a name.
    """
    for name in (adapter, str(folder)):
        if name and (found := _CHECKPOINT.fullmatch(name)):
            return int(found[2]), found[1]
    return None, None


def with_ends(runs: Sequence[Run]) -> list[Run]:
    """The adapter that a training ends with, in the folder of its checkpoints, is the training's last point."""
    known = {run.training for run in runs if run.training and run.adapter}
    placed = []
    for run in runs:
        training = f"{run.adapter.rstrip('/')}/" if run.adapter else ""
        if run.step is None and training in known and (last := _last_step(Path(training))) is not None:
            run = replace(run, step=last, training=training)
        placed.append(run)
    return placed


def _last_step(folder: Path) -> int | None:
    """The step that a training ended at, as the trainer noted in its last checkpoint; None where that is not known."""
    steps = []
    for file in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            best, step = state.get("best_model_checkpoint"), state["max_steps"]
        except (OSError, ValueError, KeyError, AttributeError):
            return None
        if best:  # then the folder holds that one's weights, or the last one's: the config decides, and is not here
            return None
        steps.append(step)
    return max(steps, default=None)


def merged(runs: Sequence[Run]) -> list[Run]:
    """The same completions of the same model as one run, at the first one's place, that names all its folders.

    Names alone do not count, nor do equal rows alone: another adapter may well answer a few prompts alike.
    """
    kept: dict[Any, Run] = {}
    for run in runs:
        rows = tuple(repr(sorted((k, v) for k, v in row.items() if k != "run")) for row in run.rows)
        rules = None if run.rules is None else tuple(sorted(run.rules.items()))
        key = (run.identity, repr(sorted(run.settings.items())), rules, frozenset(rows))
        known = kept.get(key)
        kept[key] = run if known is None else replace(known, folders=tuple(dict.fromkeys(known.folders + run.folders)))
    return _named(list(kept.values()))


def in_order(runs: Sequence[Run]) -> list[Run]:
    """As given, but the checkpoints of each training by their steps, in the places that they hold together."""
    ordered = list(runs)
    for training in dict.fromkeys(run.training for run in runs if run.training is not None):
        places = [i for i, run in enumerate(runs) if run.training == training]
        by_step = sorted((runs[i] for i in places), key=lambda run: run.step or 0)
        for i, run in zip(places, by_step, strict=True):
            ordered[i] = run
    return ordered


def trainings(runs: Sequence[Run]) -> dict[str, list[tuple[int, str]]]:
    """Trainings with at least two points, each as (step, run's name) by step.

    The base that was asked beside every one of a training's adapters is its step 0: an adapter begins as no change.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for training in dict.fromkeys(run.training for run in runs if run.training is not None):
        steps = [run for run in runs if run.training == training]
        homes = {folder for run in steps for folder in run.folders}
        points = [(run.step or 0, run.name) for run in steps]
        bases = [run for run in runs if run.adapter is None and run.training is None and homes <= set(run.folders)]
        if steps[0].adapter is not None and len(bases) == 1:
            points.append((0, bases[0].name))
        if len(points) > 1:
            found[training] = sorted(points)
    return found


def _named(runs: list[Run]) -> list[Run]:
    """A shared base is called ``base``; what then stands alone in its folder is called as the folder."""
    shared = [run for run in runs if len(run.folders) > 1]
    taken = {name for run in runs for name in (run.name, *run.folders)}
    if len(shared) == 1 and shared[0].adapter is None and "base" not in taken:
        runs = [replace(run, name="base") if run is shared[0] else run for run in runs]
    homes = [run.folders for run in runs]
    return [
        replace(run, name=run.folders[0]) if len(run.folders) == 1 and homes.count(run.folders) == 1 else run
        for run in runs
    ]
