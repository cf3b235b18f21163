"""Rates by set and by attack scenario; what a set's own metric says of capability sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from axolotl_alttrain.eval.prompts.prompt import HARMFUL_KINDS
from axolotl_alttrain.eval.scoring.metrics import TESTED, Scored, refuses, responds, share
from axolotl_alttrain.eval.stats.clusters import mean_over
from axolotl_alttrain.eval.stats.repeats import repeated


def by_set(scored: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """For each set of one run what counts there, as a rate with its interval, and how many thoughts were cut off.

    Returns:
        By set: ``measure`` (``harmful_response``, ``over_refusal``, ``accuracy`` or the metric of a graded set;
        ``attack_success`` where a set was asked under attacks alone),
        ``rate`` (of graded sets the mean, between 0 and 1, its interval a bootstrap over prompts, ``count`` None) and
        ``truncated``. A cut-off thought is no answer: not harmful, not refused, not right, and worth 0.
    """
    result = {}
    for name, some in _grouped(scored, lambda s: s.prompt.set).items():
        # Attacks stand by themselves, see :func:`by_attack`; unless nothing else was asked of a set.
        some = [s for s in some if not s.prompt.attack] or some
        measure, counts = _measured(some)
        entry: dict[str, Any] = {"kind": some[0].prompt.kind, "measure": measure}
        if some[0].prompt.kind == "graded":
            graded = [(*s.graded, s.unit) for s in some if s.graded]
            mean = mean_over([value for _, value, _ in graded], [unit for *_, unit in graded])
            entry |= {"measure": graded[0][0], "rate": {"count": None, "total": len(graded), **mean}}
        else:
            entry["rate"] = share(some, counts).as_dict()
        entry["truncated"] = share(some, lambda s: s.parsed.truncated).as_dict()
        result[name] = entry
    return result


def by_scenario(scored: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """Attack success, the share of harmful responses, under each scenario; empty where no attack was asked for."""
    some = [s for s in scored if s.prompt.kind in HARMFUL_KINDS]
    groups = _grouped(some, lambda s: s.prompt.scenario or "none")
    return {name: share(members, responds).as_dict() for name, members in groups.items()}


def by_attack(scored: Sequence[Scored]) -> dict[str, dict[str, dict[str, Any]]]:
    """Attack success by set and scenario: :func:`by_scenario` of every set with harmful prompts."""
    some = [s for s in scored if s.prompt.kind in HARMFUL_KINDS]
    return {name: by_scenario(members) for name, members in _grouped(some, lambda s: s.prompt.set).items()}


def over_repeats(scored: Sequence[Scored], k: int) -> dict[str, dict[str, Any]]:
    """For prompts sampled k times: each outcome on average and in the worst of k, by :func:`~eval.repeats.repeated`.

    Returns:
        By metric (harmful responses, over-refusal, capability, attack success); only those with prompts.
    """
    result = {}
    for metric in TESTED:
        some = [s for s in scored if metric.applies(s.prompt)]
        groups = _grouped(some, lambda s: f"{s.prompt.set} {s.prompt.id}").values()
        if groups:
            flags = [[metric.counts(s) for s in group] for group in groups]
            result[metric.name] = repeated(flags, k, metric.better, [group[0].unit for group in groups])
    return result


def _measured(some: Sequence[Scored]) -> tuple[str, Callable[[Scored], bool]]:
    kind = some[0].prompt.kind
    if kind in HARMFUL_KINDS:
        return "attack_success" if some[0].prompt.attack else "harmful_response", responds
    if kind == "benign":
        return "over_refusal", refuses
    return "accuracy", lambda s: bool(s.right)


def _grouped(scored: Iterable[Scored], key: Any) -> dict[str, list[Scored]]:
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(key(one), []).append(one)
    return groups
