"""How runs are related: the same base in several folders, checkpoints of one training."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from axolotl_alttrain.eval.results.rules import FIRST_VERSION

if TYPE_CHECKING:
    from axolotl_alttrain.eval.compare.runs import Run

_CHECKPOINT = re.compile(r"(.*?)checkpoint-(\d+)/*")


def place(adapter: str | None, folder: Path) -> tuple[int | None, str | None]:
    """Step and training of a run, from its adapter's name or else from its folder's.

    Returns:
        N of ``checkpoint-N`` at the end of the name, and the part before it; None and None without such a name.
    """
    for name in (adapter, str(folder)):
        if name and (found := _CHECKPOINT.fullmatch(name)):
            return int(found[2]), found[1]
    return None, None


def with_ends(runs: Sequence[Run]) -> list[Run]:
    """Make the final adapter in a folder of checkpoints the last point of that training."""
    known = {run.training for run in runs if run.training and run.adapter}
    placed = []
    for run in runs:
        training = f"{run.adapter.rstrip('/')}/" if run.adapter else ""
        if run.step is None and training in known and (last := _last_step(Path(training))) is not None:
            run = replace(run, step=last, training=training)
        placed.append(run)
    return placed


def _last_step(folder: Path) -> int | None:
    """The last step of a training, from the trainer's state in its checkpoints; None where it is unknown."""
    steps = []
    for file in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            best, step = state.get("best_model_checkpoint"), state["max_steps"]
        except (OSError, ValueError, KeyError, AttributeError):
            return None
        if best:  # the folder holds the best or the last weights, depending on a config that is not available here
            return None
        steps.append(step)
    return max(steps, default=None)


def merged(runs: Sequence[Run]) -> list[Run]:
    """Merge runs that hold the same completions of the same model into the first of them, which names all folders.

    Neither equal names nor equal rows are enough: another adapter may answer a few prompts identically.
    """
    kept: dict[tuple[tuple[str | None, ...], str, str, frozenset[str]], Run] = {}
    for run in runs:
        rows = frozenset(row.model_dump_json(exclude={"run"}) for row in run.rows)
        # Unknown versions count as the first, as everywhere.
        raised = sorted(one for one in (run.rules or {}).items() if one[1] != FIRST_VERSION)
        key = (run.identity, repr(sorted(run.settings.items())), repr(raised), rows)
        known = kept.get(key)
        if known is not None:
            folders = tuple(dict.fromkeys(known.folders + run.folders))
            run = replace(known, folders=folders, form=known.form or run.form)
        kept[key] = run
    return _named(list(kept.values()))


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Sort the checkpoints of each training by step, within the places that they occupy; other runs keep theirs."""
    ordered = list(runs)
    for training in dict.fromkeys(run.training for run in runs if run.training is not None):
        places = [i for i, run in enumerate(runs) if run.training == training]
        by_step = sorted((runs[i] for i in places), key=lambda run: run.step or 0)
        for i, run in zip(places, by_step, strict=True):
            ordered[i] = run
    return ordered


def trainings(runs: Sequence[Run]) -> dict[str, list[tuple[int, str]]]:
    """Trainings with at least two points, each as (step, run's name) by step.

    The base evaluated with every adapter of a training is its step 0, since a new adapter changes nothing.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for training in dict.fromkeys(run.training for run in runs if run.training is not None):
        steps = [run for run in runs if run.training == training]
        homes = {folder for run in steps for folder in run.folders}
        points = [(run.step or 0, run.name) for run in steps]
        mode = steps[0].origin.get("thinking")
        bases = [
            run
            for run in runs
            if run.adapter is None
            and run.training is None
            and homes <= set(run.folders)
            and run.origin.get("thinking") == mode
        ]
        if steps[0].adapter is not None and len(bases) == 1:
            points.append((0, bases[0].name))
        if len(points) > 1:
            found[training] = sorted(points)
    return found


def _named(runs: list[Run]) -> list[Run]:
    """Name a shared base ``base``, and a run that is then alone in its folder after the folder."""
    shared = [run for run in runs if len(run.folders) > 1]
    taken = {name for run in runs for name in (run.name, *run.folders)}
    if len(shared) == 1 and shared[0].adapter is None and "base" not in taken:
        runs = [replace(run, name="base") if run is shared[0] else run for run in runs]
    homes = [run.folders for run in runs]
    return [
        replace(run, name=run.folders[0]) if len(run.folders) == 1 and homes.count(run.folders) == 1 else run
        for run in runs
    ]
