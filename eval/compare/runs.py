"""Runs from the folders that the evaluator wrote, and what keeps two of them from being paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.rows import read_jsonl

from ..finished import read_run_file
from ..pairing import pair_key
from .checkpoints import in_order, merged, place, with_ends

PROMPT_FIELDS = ("instruction", "kind")  # an attack is part of the id; scenario is what a run calls it
ROW_FIELDS = ("run", "set", "id", "metrics", *PROMPT_FIELDS)
SHOWN = 5  # differing prompts that a message names
_JUDGE_FLAGS = {
    "guard": (
        *("guard_model", "guard_load_in_4bit", "guard_safe", "guard_unsafe"),
        *("guard_template", "guard_template_args"),
    ),
    "rubric": ("judge_model",),
    "xstest": ("judge_model",),
}


@dataclass(frozen=True)
class Run:
    """One model's answers.

    Attributes:
        name: As tables and ``--reference`` call it.
        rows: Of ``scored.jsonl``.
        settings: What it was generated and judged with.
        folders: Where it was found; several where they hold the same completions of the same model.
        identity: Model, adapter and template, as the manifest gives them.
        adapter: Folder or name of the adapter; None for a model without one.
        step: N of ``checkpoint-N``, in training steps; None elsewhere.
        training: What the checkpoints of one training have in common; None without a step.
        origin: What may differ and is to be known: template, versions, the sets' revisions.
    """

    name: str
    rows: tuple[dict[str, Any], ...]
    settings: Mapping[str, Any]
    folders: tuple[str, ...] = ()
    identity: tuple[str | None, ...] = ()
    adapter: str | None = None
    step: int | None = None
    training: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


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
                )
            )
    return in_order(merged(with_ends(runs)))


def check_pairs(first: Run, second: Run, ignore: Sequence[str] = ()) -> int:
    """Refuse to pair what was not asked in the same way.

    Returns:
        The number of rows that pair.

    Raises:
        AltTrainError: Settings, judges or prompts differ, or nothing is shared; the message says in what.
    """
    names = (*first.settings, *(name for name in second.settings if name not in first.settings))
    differing = [
        f"{name} is {first.settings.get(name)!r} and {second.settings.get(name)!r}"
        for name in names
        if name not in ignore and first.settings.get(name) != second.settings.get(name)
    ]
    if differing:
        same = first.settings.get("rules") == second.settings.get("rules") or "rules" in ignore
        hint = "" if same else " (rules: this package's code; evaluate the older run again, its samples are kept)"
        raise AltTrainError(
            f"{first.name} and {second.name} were generated or judged differently: {'; '.join(differing)}{hint}; "
            "allowed: runs with the same settings, or --ignore SETTING where the difference is what you compare"
        )
    known = {pair_key(row): row for row in first.rows}
    shared = [(known[pair_key(row)], row) for row in second.rows if pair_key(row) in known]
    changed = [
        f"{a['set']}, id {a['id']}: field '{field}' differs: {a.get(field)!r} and {b.get(field)!r}"
        for a, b in shared
        for field in PROMPT_FIELDS
        if a.get(field) != b.get(field)
    ]
    changed += [
        f"{a['set']}, id {a['id']}: earlier turns or what is done about the thought differ"
        for a, b in shared
        if a["instruction"] == b["instruction"] and a.get("prompt_sha256") != b.get("prompt_sha256")
    ]
    if changed:
        more = f"; and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise AltTrainError(
            f"{first.name} and {second.name}: {'; '.join(changed[:SHOWN])}{more}; allowed: the same prompts in both"
        )
    if not shared:
        raise AltTrainError(f"{first.name} and {second.name} share no prompt; allowed: runs on the same sets")
    return len(shared)


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
    rules = {"rules": manifest["rules"]} if "rules" in manifest else {}
    return {"judges": first} | rules | {flag: flags.get(flag) for name in first for flag in _JUDGE_FLAGS.get(name, ())}


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
