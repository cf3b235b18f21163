"""Runs to compare, and the checks before two of them are paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from axolotl_alttrain.eval.backends.base import NOT_MERGED
from axolotl_alttrain.eval.results.pairing import paired_rows
from axolotl_alttrain.eval.results.rules import FIRST_VERSION, RULE_VERSIONS
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.weights import WeightsForm
from pydantic import JsonValue

from axolotl_alttrain.errors import AltTrainError

PROMPT_FIELDS = ("instruction", "kind")  # not the scenario: the attack is part of the id
FORM_SETTINGS = ("load_in_4bit", "load_in_8bit")  # they follow from the form of the weights
SHOWN = 5  # differing prompts that a message names


@dataclass(frozen=True)
class Run:
    """One model's answers.

    Attributes:
        name: In tables and for ``--reference``.
        rows: Of ``scored.jsonl``.
        settings: Of generation and judging.
        folders: Where it was found; several where folders hold the same completions of the same model.
        identity: Model, adapter and template, from the manifest.
        adapter: Folder or name of the adapter, or of the whole tuned model; None for a base.
        step: N of ``checkpoint-N``, in training steps; None for other runs.
        training: The part of the name that the checkpoints of one training share; None without a step.
        origin: What may differ but is reported: template, versions, the sets' revisions.
        rules: Versions of the metrics and judges that it used; None if they were not recorded.
        form: Which weights it measured; None if that was not recorded.
    """

    name: str
    rows: tuple[ScoredRow, ...]
    settings: Mapping[str, JsonValue]
    folders: tuple[str, ...] = ()
    identity: tuple[str | None, ...] = ()
    adapter: str | None = None
    step: int | None = None
    training: str | None = None
    origin: Mapping[str, JsonValue] = field(default_factory=dict)
    rules: Mapping[str, int] | None = None
    form: WeightsForm | None = None

    @property
    def adapter_identity(self) -> str:
        """What the adapter is, however it was loaded; empty for a base or where it is not known."""
        exported = self.form.details.get("adapter") if self.form else None
        if isinstance(exported, str):
            return exported
        return (self.identity[1] or "").removesuffix(NOT_MERGED) if len(self.identity) > 1 else ""


def check_pairs(first: Run, second: Run, ignore: Sequence[str] = ()) -> int:
    """Refuse to pair runs that were not asked in the same way. Different forms of the weights pair.

    Returns:
        The number of rows that pair.

    Raises:
        AltTrainError: Settings, judges or prompts differ, or the runs share no prompt.
    """
    names = (*first.settings, *(name for name in second.settings if name not in first.settings))
    ignore = (*ignore, *_following_from_forms(first, second))
    differing = [
        f"{name} is {first.settings.get(name)!r} and {second.settings.get(name)!r}"
        for name in names
        if name not in ignore and first.settings.get(name) != second.settings.get(name)
    ]
    if differing:
        raise AltTrainError(
            f"{first.name} and {second.name} were generated or judged differently: {'; '.join(differing)}; "
            "compare runs with the same settings, or pass --ignore SETTING if the difference is what you compare"
        )
    if RULE_VERSIONS not in ignore and (changed_rules := _differing_rules(first, second)):
        raise AltTrainError(
            f"{first.name} and {second.name} were judged by different versions: {'; '.join(changed_rules)}. Run the "
            f"older evaluation again (its samples are kept), or pass --ignore {RULE_VERSIONS}"
        )
    shared = paired_rows(first.rows, second.rows)
    changed = [
        f"{a.set}, id {a.id}: field '{field}' differs: {getattr(a, field)!r} and {getattr(b, field)!r}"
        for a, b in shared
        for field in PROMPT_FIELDS
        if getattr(a, field) != getattr(b, field)
    ]
    changed += [
        f"{a.set}, id {a.id}: earlier turns or the treatment of the thought differ"
        for a, b in shared
        if a.instruction == b.instruction and a.prompt_sha256 != b.prompt_sha256
    ]
    if changed:
        more = f"; and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise AltTrainError(
            f"{first.name} and {second.name}: {'; '.join(changed[:SHOWN])}{more}; compare runs of the same prompts"
        )
    if not shared:
        raise AltTrainError(f"{first.name} and {second.name} share no prompt; compare runs on the same sets")
    return len(shared)


def _following_from_forms(first: Run, second: Run) -> tuple[str, ...]:
    """Settings that may differ between two runs because the forms of their weights do."""
    if first.form is None or second.form is None or first.form.words == second.form.words:
        return ()
    return FORM_SETTINGS


def _differing_rules(first: Run, second: Run) -> list[str]:
    """Each metric and judge of which the runs used different versions; unknown versions count as 1."""
    names = dict.fromkeys([*(first.rules or {}), *(second.rules or {})])
    unknown = dict.fromkeys(names, FIRST_VERSION)
    ours, theirs = (unknown if run.rules is None else run.rules for run in (first, second))
    return [
        f"{name} is version {ours[name]} and {theirs[name]}"
        for name in names
        if name in ours and name in theirs and ours[name] != theirs[name]
    ]


def unknown_rules(runs: Sequence[Run]) -> list[str]:
    """Names of the runs that were written before the versions of metrics and judges were recorded."""
    return [run.name for run in runs if run.rules is None]
