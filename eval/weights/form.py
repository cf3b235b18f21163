"""The form of the weights that a run measures. A QLoRA adapter has several, and they can behave differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

Kind = Literal["base", "as-trained", "full-precision", "exported", "merged-full", "merged", "unknown"]

NOT_RECORDED = "weights not recorded"  # for runs that were written before the form was
# The forms in which an adapter that was trained on a quantised base can be measured, and how to get each.
_FORMS: dict[Kind, str] = {
    "as-trained": "as trained (--weights as-trained)",
    "exported": "exported (axolotl alttrain export)",
    "full-precision": "full-precision base (--weights full-precision)",
}


@dataclass(frozen=True)
class WeightsForm:
    """Which weights a run measures.

    Attributes:
        kind: ``base``, a model without an adapter; ``as-trained``, the adapter on its base as loaded in training;
            ``full-precision``, the adapter on the unquantised base; ``exported`` and ``merged-full``, a folder of
            ``axolotl alttrain export`` by its form; ``merged``, a folder without a record; ``unknown``, a server's.
        words: The same for readers, a noun phrase: ``adapter on the NF4 base it was trained on``.
        details: ``engine``; ``trained_on``, as :func:`quantization_name` gives it, or ``not recorded``;
            ``base_quantization``; ``adapter``, the identity of an exported one; ``stated_by`` a flag; and others.
    """

    kind: Kind
    words: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def quantised_in_training(self) -> bool:
        """Whether the adapter is known to have been trained on a quantised base."""
        return self.details.get("trained_on", "unquantised") not in ("unquantised", "not recorded")

    @property
    def others(self) -> tuple[str, ...]:
        """The other forms of the same adapter, in words; none if its base was not quantised in training."""
        if not self.quantised_in_training or self.kind not in (*_FORMS, "merged-full"):
            return ()
        return tuple(words for kind, words in _FORMS.items() if kind != self.kind)

    def stated(self, flag: str) -> WeightsForm:
        """The same form, known only because the user says so."""
        return WeightsForm(self.kind, f"{self.words} (stated by the user)", {**self.details, "stated_by": flag})


def shown(form: WeightsForm | None) -> str:
    """The words of a form; says so where a run has none."""
    return form.words if form else NOT_RECORDED
