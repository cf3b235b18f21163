"""Read runs from the folders that the evaluator wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.compare.checkpoints import in_order, merged, place, with_ends
from axolotl_alttrain.eval.compare.runs import PROMPT_FIELDS, Run
from axolotl_alttrain.eval.results.finished import read_run_file
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.jsonl import read_jsonl

ROW_FIELDS = ("run", "set", "id", "metrics", *PROMPT_FIELDS)
_JUDGE_FLAGS = {
    "guard": (
        *("guard_model", "guard_load_in_4bit", "guard_safe", "guard_unsafe"),
        *("guard_template", "guard_template_args"),
    ),
    "rubric": ("judge_model",),
    "xstest": ("judge_model",),
}


def load_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs of all folders: one with base and tuned gives two, a base that several folders hold is one.

    Returns:
        In the order given; the checkpoints of one training by their steps.

    Raises:
        AltTrainError: A folder lacks a file, or its rows are of an older version.
    """
    runs = []
    for folder in folders:
        summary, rows, manifest = _read(folder)
        label = folder.name if sum(f.name == folder.name for f in folders) == 1 else str(folder)
        for name in summary["runs"]:
            alone = list(summary["runs"]) == ["base"]
            adapter = summary.get("adapter") if name == "tuned" else None
            step, training = place(adapter, folder) if alone or adapter else (None, None)
            known = manifest.get("runs", {}).get(name) or {"model": summary.get("model"), "adapter": adapter}
            runs.append(
                Run(
                    label if alone else f"{label}:{name}",
                    tuple(row for row in rows if row["run"] == name),
                    summary["settings"] | _judged(summary, manifest),
                    (label,),
                    tuple(known.values()),
                    adapter,
                    step,
                    training,
                    _origin(summary, manifest, name),
                    manifest.get(RULE_VERSIONS),
                )
            )
    return in_order(merged(with_ends(runs)))


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """``summary.json``, the rows of ``scored.jsonl`` and, where there is one, ``manifest.json``."""
    summary = read_run_file(folder, "summary.json", ("runs", "settings"))
    manifest = read_run_file(folder, "manifest.json") if (folder / "manifest.json").exists() else {}
    if not (folder / "scored.jsonl").is_file():
        raise AltTrainError(f"{folder}: found no scored.jsonl; allowed: a folder that the evaluator has finished")
    rows = [row for _, row in read_jsonl(folder / "scored.jsonl")]
    if not rows:
        raise AltTrainError(f"{folder}/scored.jsonl: found no rows; allowed: a folder that the evaluator has finished")
    if lacking := [name for name in ROW_FIELDS if any(name not in row for row in rows)]:
        raise AltTrainError(
            f"{folder}/scored.jsonl: found rows without '{lacking[0]}', of an older version; run the same evaluation "
            "again, its samples are kept"
        )
    return summary, rows, manifest


def _judged(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The judges that make the rates and, where they are models, which ones."""
    first = summary.get("judges", ["refusal"])[:1]
    first += [name for name in [summary.get("refusal_judge")] if name and name not in first]
    flags = manifest.get("flags", {})
    return {"judges": first} | {flag: flags.get(flag) for name in first for flag in _JUDGE_FLAGS.get(name, ())}


def _origin(summary: Mapping[str, Any], manifest: Mapping[str, Any], run: str) -> dict[str, Any]:
    """What may differ between two runs that pair, but is to be known."""
    known = manifest.get("runs", {}).get(run) or {}
    return {
        "axolotl_alttrain": summary.get("version"),
        **summary.get("packages", {}),
        "template": known.get("template"),
        "thought_format": summary.get("thought_format"),
        **{f"revision of {name}": revision for name, revision in manifest.get("sets", {}).items()},
    }
