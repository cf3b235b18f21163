"""Evaluate an adapter with ``eval.run``, and read the rates that arms are compared by."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.results.summary import read_summary
from axolotl_alttrain.eval.run import main as eval_run
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.weights.form import shown

from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.jsonl import read_jsonl

RATES = {
    "harmful": "harmful",
    "contrast": "contrast answered",
    "benign": "over-refusal",
    "structure": "structure",
    "capability": "capability",
}
AREAS = {"harmful": "AUROC", "contrast": "AUROC, contrast"}


class EvaluationFailed(Exception):
    """``eval.run`` ended with an error."""


@dataclass(frozen=True)
class Asked:
    """What an evaluation asks: every arm the same."""

    suite: str
    limit: int | None
    max_new_tokens: int


@dataclass(frozen=True)
class Measured:
    """The results of one adapter in one form, or of its base.

    Attributes:
        rates: By the names of :data:`RATES`.
        areas: Of the verdicts' scores against the benign set, by kind of the harmful one; empty where the summary has
            none.
    """

    rates: dict[str, Rate]
    areas: dict[str, float] = field(default_factory=dict)


def evaluate(adapter: Path, form: str, asked: Asked, out: Path, answered: Iterable[Path] = ()) -> None:
    """Evaluate an adapter and its base into a folder; nothing is done where the same evaluation is finished.

    Args:
        adapter: Its folder.
        form: For ``--weights``.
        asked: The prompts.
        out: The folder for the results.
        answered: Folders of other evaluations; the base's answers in them are not asked again if its weights, prompts
            and settings are the same.

    Raises:
        EvaluationFailed: The evaluation ended with an error, or a set is missing.
    """
    stamp = json.dumps({"adapter": identity(str(adapter)), "form": form, **vars(asked)})
    finished = out / "finished.json"
    if finished.is_file() and finished.read_text(encoding="utf-8") == stamp:
        return
    if not (out / "samples.jsonl").exists():
        _bring_base_answers(answered, out / "samples.jsonl")
    flags = ["--adapter", str(adapter), "--out", str(out)]
    flags += ["--weights", form, "--suite", asked.suite, "--max-new-tokens", str(asked.max_new_tokens)]
    flags += ["--limit", str(asked.limit)] if asked.limit else []
    if code := eval_run(flags):
        raise EvaluationFailed(f"eval.run ended with {code}")
    write_atomic(finished, stamp)


def _bring_base_answers(folders: Iterable[Path], target: Path) -> None:
    """The base's samples of other evaluations; the evaluator uses those whose keys are the same."""
    rows: dict[str, dict[str, Any]] = {}
    for folder in folders:
        if (path := folder / "samples.jsonl").is_file():
            rows |= {row["key"]: row for _, row in read_jsonl(path) if row["run"] == "base"}
    if rows:
        write_atomic(target, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values()))


def measured(folder: Path, run: str = "tuned") -> Measured:
    """The rates of a run of a finished evaluation, ``base`` or ``tuned``.

    Raises:
        AltTrainError: The folder holds no finished evaluation.
    """
    results = read_summary(folder).runs[run]
    rates = {one.kind: one.rate for one in results.by_set.values()}
    rates["structure"] = results.rate("structure")
    areas = {results.by_set[one.harmful].kind: one.area.value for one in results.separation}
    return Measured({name: rates[name] for name in RATES if name in rates}, areas)


def loaded_as(folder: Path, run: str) -> str:
    """Which weights a run measured, in words."""
    return shown(read_summary(folder).weights.get(run))
