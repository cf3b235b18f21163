"""Assessment in rounds: what cannot be used is replaced by the next row in order, until every label has enough rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from axolotl_alttrain.data.assessors.base import Question
from axolotl_alttrain.data.build_context import BuildContext
from axolotl_alttrain.data.screening.exclusion_logs import Rejection
from axolotl_alttrain.data.screening.selection import Entry, select
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import LABELS, Label

LOG = logging.getLogger(__name__)

Pools = dict[Label, list[Entry]]
"""The selected entries of each label, in stratified order."""


def assess_selection(context: BuildContext) -> Pools:
    """Assess the selected candidates until every label has as many usable rows as the build needs.

    Raises:
        AltTrainError: The assessor cannot be reached, or there are too few usable rows.
    """
    remaining = _labelled(context, context.candidates.entries)
    checked: set[int] = set()
    while True:
        pools = select_pools(context, remaining)
        new = [entry for pool in pools.values() for entry in pool if entry.offset not in checked]
        checked.update(entry.offset for entry in new)
        unusable = _unusable(context, new)
        if not unusable:
            _check_sizes(context, pools)
            return pools
        remaining = [entry for entry in remaining if entry.offset not in unusable]


def select_pools(context: BuildContext, entries: list[Entry]) -> Pools:
    """The entries that the build and its variants need, by label."""
    config = context.config
    return {label: select(entries, label, config.needed(label), config.strategy) for label in LABELS}


def _labelled(context: BuildContext, entries: list[Entry]) -> list[Entry]:
    """The entries with a label; where the source gives none, the verdict is the label."""
    unlabelled = [entry for entry in entries if entry.label is None]
    if unlabelled:
        _assess(context, unlabelled)
    for entry in unlabelled:
        outcome = context.store.get(entry.key)
        if outcome.assessment and not outcome.fault:
            entry.label = outcome.assessment.verdict
        else:
            context.usage.add(outcome)
            context.logs.reject(context.candidates.get(entry).trace, Rejection("assessor", str(outcome.fault)))
    return [entry for entry in entries if entry.label is not None]


def _unusable(context: BuildContext, entries: list[Entry]) -> set[int]:
    """Assess entries, log those that cannot be used and return their offsets."""
    _assess(context, [entry for entry in entries if entry.key])
    unusable = set()
    for entry in entries:
        if entry.key:
            context.usage.add(context.store.get(entry.key))
        candidate = context.candidates.get(entry)
        if fault := context.fault(candidate, entry):
            context.logs.reject(candidate.trace, fault)
            unusable.add(entry.offset)
    return unusable


def _assess(context: BuildContext, entries: list[Entry]) -> None:
    """Assess what the store does not hold, each key once."""
    missing = {entry.key: entry for entry in entries if entry.key not in context.store}

    def questions() -> Iterator[Question]:
        for key, entry in missing.items():
            trace = context.candidates.get(entry).trace
            _warn_of_former_key(context, trace)
            yield Question(key, trace.instruction, trace.label, trace.category)

    for done, outcome in enumerate(context.assessor.assess(questions()), 1):
        context.store.add(outcome)
        context.progress("Assessing", done, len(missing))


def _warn_of_former_key(context: BuildContext, trace: Trace) -> None:
    """Warn once that assessments are not reused if their keys name the model only by path or name."""
    former = context.assessor.former_key(trace.instruction, trace.label)
    if former and former in context.store and not context.former_keys_found:
        context.former_keys_found = True
        LOG.warning(
            "%s: assessments of an earlier version are not reused, because their keys do not show which weights or "
            "which server they came from",
            context.store.path,
        )


def _check_sizes(context: BuildContext, pools: Pools) -> None:
    for label, pool in pools.items():
        needed = context.config.needed(label)
        if needed is not None and len(pool) < needed:
            raise AltTrainError(
                f"found {len(pool)} usable {label} rows, {needed} are needed; add a source, raise its 'limit', or "
                f"lower '{label}' (left out: {context.logs.summary()})"
            )
