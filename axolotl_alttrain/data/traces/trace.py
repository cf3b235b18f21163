"""One reasoning trace, as every source yields it and every step of the builder takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from axolotl_alttrain.errors import RowError, described
from axolotl_alttrain.format.example import LABELS, Label


@dataclass(frozen=True)
class Trace:
    """A query with a model's thought and answer, before AltTrain's structure is added.

    Texts are the source's own, byte for byte, without think tags.

    Attributes:
        id: Unique within its source.
        instruction: The query.
        thought: The reasoning between the think tags; empty if the source has none.
        answer: What follows the thought; empty if the trace was cut off.
        label: The source's label; None if only the assessor can decide.
        category: The source's own category of the query.
        source: Name of the source, as in the build's config.
        language: ISO 639-1 code.
    """

    id: str
    instruction: str
    thought: str
    answer: str
    label: Label | None
    category: str | None
    source: str
    language: str | None

    def as_row(self) -> dict[str, Any]:
        """The trace as one JSON object, without unknown fields."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def trace_from_row(row: Mapping[str, Any]) -> Trace:
    """The inverse of :meth:`Trace.as_row`; other columns are ignored.

    Raises:
        RowError: A field is missing or not a text.
    """
    values = {}
    for field in fields(Trace):
        value = row.get(field.name)
        optional = field.name in ("label", "category", "language")
        if not isinstance(value, str) and not (optional and value is None):
            raise RowError(field.name, described(value), f"write a string{' or leave it out' if optional else ''}")
        values[field.name] = value
    if values["label"] not in (*LABELS, None):
        raise RowError("label", described(values["label"]), "set it to 'harmful' or 'benign', or leave it out")
    return Trace(**values)  # type: ignore[arg-type]
