"""Runs that are compared, and what keeps two of them from being paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from axolotl_alttrain.eval.results.pairing import pair_key

from axolotl_alttrain.errors import AltTrainError

PROMPT_FIELDS = ("instruction", "kind")  # an attack is part of the id; scenario is what a run calls it
SHOWN = 5  # differing prompts that a message names


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
