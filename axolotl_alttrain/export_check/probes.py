"""The positions whose next token is compared, and what the comparison shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any, Literal

from axolotl_alttrain.export_check.agreement import Pair
from axolotl_alttrain.export_check.check_report import FirstDifference, ProbabilityGap
from axolotl_alttrain.export_check.next_token import Distribution, NextTokens, Position, largest_difference

Where = Literal["first", "verdict", "difference"]


@dataclass(frozen=True)
class Probe:
    """One position in one pair of completions; everything before it is the trained form's own text."""

    pair: Pair
    where: Where
    before: tuple[int, ...] = ()

    def position(self, form: Literal["trained", "exported"]) -> Position:
        """The position after a form's own rendering of the prompt."""
        prompt = (self.pair.trained if form == "trained" else self.pair.exported).prompt
        return Position(prompt or "", self.before)


@dataclass(frozen=True)
class Probed:
    """The probes, and what both forms give for the next token at each."""

    probes: Sequence[Probe]
    trained: NextTokens
    exported: NextTokens

    @property
    def reason(self) -> str:
        """Why there are no probabilities; empty if there are."""
        return self.trained.reason or self.exported.reason

    def of(self, where: Where) -> list[tuple[Pair, Distribution, Distribution]]:
        """Pair, trained and exported distribution at each probe of one kind; empty if they were not measured."""
        if self.reason:
            return []
        measured = zip(self.probes, self.trained.found, self.exported.found, strict=True)
        return [(probe.pair, ours, theirs) for probe, ours, theirs in measured if probe.where == where]


def probes_of(pairs: Sequence[Pair]) -> list[Probe]:
    """The first token of each prompt, the word of verdict, and where completions part."""
    found = []
    for pair in pairs:
        found.append(Probe(pair, "first"))
        if pair.verdict_at is not None:
            found.append(Probe(pair, "verdict", pair.trained_ids[: pair.verdict_at]))
        if pair.difference is not None:
            found.append(Probe(pair, "difference", pair.trained_ids[: pair.difference]))
    return found


def gap(probed: Probed, where: Where) -> ProbabilityGap | None:
    """How far the two forms' probabilities differ at one kind of position; None if nothing was measured there."""
    gaps = [(largest_difference(ours, theirs), pair.key) for pair, ours, theirs in probed.of(where)]
    if not gaps:
        return None
    largest, key = max(gaps)
    return ProbabilityGap(
        prompts=len(gaps), largest=largest, mean=fmean(one for one, _ in gaps), largest_at=" ".join(key)
    )


def first_differences(pairs: Sequence[Pair], probed: Probed, tokenizer: Any) -> list[FirstDifference]:
    """Where the completions that differ part, with the margins there."""
    measured = {pair.key: (ours, theirs) for pair, ours, theirs in probed.of("difference")}
    found = []
    for pair in pairs:
        if pair.difference is None:
            continue
        mine, other = (_token(ids, pair.difference, tokenizer) for ids in (pair.trained_ids, pair.exported_ids))
        ours, theirs = measured.get(pair.key, ({}, {}))
        found.append(
            FirstDifference(
                set=pair.key[0],
                id=pair.key[1],
                position=pair.difference,
                trained=mine,
                exported=other,
                trained_margin=_margin(ours, mine, other),
                exported_margin=_margin(theirs, other, mine),
            )
        )
    return found


def _token(ids: Sequence[int], place: int, tokenizer: Any) -> str:
    return str(tokenizer.decode([ids[place]])) if place < len(ids) else ""


def _margin(found: Distribution, chosen: str, other: str) -> float | None:
    """The log-probability of one token minus that of another, in nats; None if either is not among the likeliest."""
    if not found.get(chosen) or not found.get(other):
        return None
    return log(found[chosen]) - log(found[other])
