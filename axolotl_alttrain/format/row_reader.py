"""Read the rows of one ``datasets:`` entry and count what of them is not trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.quoted_request import Understanding, with_quoted_request
from axolotl_alttrain.format.reading.entry_keys import EntryKeys
from axolotl_alttrain.format.reading.loss_marks import carries_loss, trained_earlier
from axolotl_alttrain.format.rows import example_from_row, unread_fields

_EARLIER = "messages.assistant.train of earlier turns"


@dataclass(frozen=True)
class ReadRow:
    """One row as it is trained.

    Attributes:
        example: The example; None if the row's marks take its last turn out of the loss.
        unread: Names of fields that are neither trained nor part of the prompt.
    """

    example: AltTrainExample | None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowReader:
    """Reads rows under the names that the entry's config gives.

    Attributes:
        keys: The names.
        understanding: ``quoted`` replaces the written understandings by the requests.
    """

    keys: EntryKeys = field(default_factory=EntryKeys)
    understanding: Understanding = "written"

    @classmethod
    def of(cls, config: Mapping[str, Any], entry: Any) -> RowReader:
        """The reader for a ``datasets:`` entry of an Axolotl config."""
        return cls(EntryKeys.of(entry), (config.get("alttrain") or {}).get("understanding") or "written")

    def __call__(self, row: Mapping[str, Any]) -> ReadRow:
        """Read one row.

        Raises:
            RowError: It is not valid; :func:`~.rows.row_error` adds file and row.
        """
        row = self.keys.apply(row)
        messages = row.get("messages")
        if messages is None:
            return ReadRow(self._example(row), tuple(unread_fields(row)))
        training = self.keys.training
        if not carries_loss(messages, training):
            return ReadRow(None)
        unread = tuple(name for name in unread_fields(row) if name != f"messages.assistant.{training}")
        earlier = (_EARLIER,) if trained_earlier(messages, training) else ()
        return ReadRow(self._example(row), (*unread, *earlier))

    def _example(self, row: Mapping[str, Any]) -> AltTrainExample:
        example = example_from_row(row)
        return with_quoted_request(example) if self.understanding == "quoted" else example


@dataclass
class UnreadCount:
    """Counts over the rows of a dataset.

    Attributes:
        fields: For each unread field, the rows that have it.
        left_out: Rows left out because their last turn carries no loss.
    """

    fields: Counter[str] = field(default_factory=Counter)
    left_out: int = 0

    def add(self, unread: Iterable[str], rows: int = 1) -> None:
        """Count the unread fields that these rows have in common."""
        self.fields.update(dict.fromkeys(unread, rows))

    def sentences(self) -> list[str]:
        """What to tell the user; empty if every field of every row is read."""
        found = []
        if self.fields:
            names = ", ".join(f"{name} ({_rows(number)})" for name, number in sorted(self.fields.items()))
            found.append(f"Neither trained nor in the prompt: {names}.")
        if self.left_out:
            found.append(
                f"Left out because the last turn is marked 'train: false' or 'weight: 0': {_rows(self.left_out)}."
            )
        return found


def _rows(number: int) -> str:
    return f"{number} row" if number == 1 else f"{number} rows"
