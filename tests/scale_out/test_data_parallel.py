"""``axolotl train`` with two CPU processes, each with a whole copy of the model (DDP over gloo)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .runs import OPT_IN, Trained, expected_rows, greedy_tokens, steps_said, train, write_recipe

pytestmark = OPT_IN
WATCHED = {
    "probe_every": 6,
    "probe_prompts": 2,
    "probe_max_new_tokens": 8,
    "probe_budget": 1000,
    "evaluate": "probe",
}


def test_two_processes_train_what_one_trains(alone: Trained, tiny: tuple[Path, Path], tmp_path: Path) -> None:
    recipe = write_recipe(tiny[0], tmp_path, alttrain=WATCHED)
    two = train(recipe, 2)
    first, second = two.ends
    assert (first["world"], first["kind"], second["world"]) == (2, "MULTI_CPU", 2)
    # every row once, with preview's tokens and mask, half of each step in each process
    assert two.rows == expected_rows(recipe)
    assert [[len(batch) for batch in process] for process in two.batches] == [[2] * 12] * 2
    halves = [sorted(a + b) for a, b in zip(*two.batches, strict=True)]
    assert halves == [sorted(batch) for batch in alone.batches[0]]
    assert {first["steps"], second["steps"]} == steps_said(recipe, 2) == {12}
    # nearly the losses of one process with the same rows per step
    assert first["losses"] == pytest.approx(alone.ends[0]["losses"], rel=1e-3)
    # the first process alone probes and evaluates, and the command ends after it
    assert (first["probed"], second["probed"]) == ([6, 12], [])
    assert (two.folder / "evaluations.jsonl").read_text() == "[]\n"  # once, as a process of its own
    summary = json.loads((two.folder / "out" / "eval" / "summary.json").read_text())
    assert set(summary["runs"]) == {"base", "tuned"}
    # the adapter, loaded twice
    tokens = greedy_tokens(tiny[0], two.folder / "out")
    assert tokens == greedy_tokens(tiny[0], two.folder / "out")
    assert tokens != greedy_tokens(tiny[0], None)
