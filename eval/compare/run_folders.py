"""Read runs from the folders that the evaluator wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.backends.modes import OFF
from axolotl_alttrain.eval.compare.checkpoints import in_order, merged, place, with_ends
from axolotl_alttrain.eval.compare.forms import named_by_form
from axolotl_alttrain.eval.compare.runs import Run
from axolotl_alttrain.eval.results.finished import FINISHED, checked, read_run_file
from axolotl_alttrain.eval.results.manifest_record import ManifestRecord, RunIdentity
from axolotl_alttrain.eval.results.summary import SummaryHead
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from pydantic import JsonValue

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.jsonl import read_jsonl

_JUDGE_FLAGS = {"refusal": (), "rubric": ("judge_model",), "xstest": ("judge_model",)}
_GUARD_FLAGS = ("guard_name", "guard_load_in_4bit", "guard_model")  # the last in folders of earlier versions


def load_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs of all folders: a folder with base and tuned has two, and a base that several folders hold is one.

    Returns:
        In the order given, the checkpoints of one training by their steps. If an adapter was measured in several
        forms, its runs are named after them.

    Raises:
        AltTrainError: A folder lacks a file, or a file is broken.
    """
    runs = []
    for folder in folders:
        summary, rows, manifest = _read(folder)
        label = folder.name if sum(f.name == folder.name for f in folders) == 1 else str(folder)
        for name in summary.runs:
            alone = len(summary.runs) == 1
            adapter = summary.adapter or summary.weights_folder if name.removesuffix(OFF) == "tuned" else None
            step, training = place(adapter, folder) if alone or adapter else (None, None)
            if training and summary.thinking.get(name) == "off":
                training = f"{training}, thinking off"
            known = manifest.runs.get(name) or RunIdentity(model=summary.model, adapter=adapter)
            runs.append(
                Run(
                    label if alone else f"{label}:{name}",
                    tuple(row for row in rows if row.run == name),
                    summary.settings | _judged(summary, manifest),
                    (label,),
                    (known.model, known.adapter, known.template),
                    adapter,
                    step,
                    training,
                    _origin(summary, manifest, name),
                    manifest.rule_versions,
                    summary.weights.get(name),
                )
            )
    return in_order(named_by_form(merged(with_ends(runs))))


def _read(folder: Path) -> tuple[SummaryHead, list[ScoredRow], ManifestRecord]:
    """``summary.json``, the rows of ``scored.jsonl`` and, where there is one, ``manifest.json``."""
    summary = read_run_file(folder, "summary.json", SummaryHead)
    manifest = ManifestRecord()
    if (folder / "manifest.json").exists():
        manifest = read_run_file(folder, "manifest.json", ManifestRecord)
    path = folder / "scored.jsonl"
    if not path.is_file():
        raise AltTrainError(f"{folder}: scored.jsonl is missing; {FINISHED}")
    rows = [checked(row, ScoredRow, f"{path}, row {number}") for number, row in read_jsonl(path)]
    if not rows:
        raise AltTrainError(f"{path}: the file has no rows; {FINISHED}")
    return summary, rows, manifest


def _judged(summary: SummaryHead, manifest: ManifestRecord) -> dict[str, JsonValue]:
    """The judges that make the rates and, where they are models, which ones."""
    flags = {
        flag: manifest.flags.get(flag) for name in summary.rate_judges for flag in _JUDGE_FLAGS.get(name, _GUARD_FLAGS)
    }
    return {"judges": list(summary.rate_judges), "judge_part": manifest.flags.get("judge_part", "answer"), **flags}


def _origin(summary: SummaryHead, manifest: ManifestRecord, run: str) -> dict[str, JsonValue]:
    """What may differ between two runs that pair, but is reported."""
    known = manifest.runs.get(run) or RunIdentity()
    return {
        "axolotl_alttrain": summary.version,
        **summary.packages,
        **({"hardware": manifest.computed_on} if manifest.computed_on else {}),
        "template": known.template,
        "thinking": summary.thinking.get(run, "on"),
        "thought_format": summary.thought_format,
        **{f"revision of {name}": revision for name, revision in manifest.sets.items()},
    }
