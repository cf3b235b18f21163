"""The errors a user can cause, each of which says what to change."""

from __future__ import annotations

from typing import Any


class AltTrainError(ValueError):
    """A mistake in a config, a data file or a template that the user can mend.

    The message is complete on its own: command lines print it without a traceback and exit non-zero.
    """


class RowError(AltTrainError):
    """One row of a data file is not a valid AltTrain example.

    Args:
        field: The field at fault, for example ``answer``.
        found: What stands there.
        allowed: What may stand there.
        where: File and row, for example ``seed.jsonl, row 12 (id hw-12)``; filled in by the reader.
    """

    def __init__(self, field: str, found: str, allowed: str, where: str = "") -> None:
        self.field, self.found, self.allowed, self.where = field, found, allowed, where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}field '{field}': found {found}; allowed: {allowed}")

    def __reduce__(self) -> tuple[type[RowError], tuple[str, str, str, str]]:
        # The default would call the class with the message alone and break in worker processes.
        return type(self), (self.field, self.found, self.allowed, self.where)

    def at(self, where: str) -> RowError:
        """Return the same error with its place in the data."""
        return RowError(self.field, self.found, self.allowed, where)


class TemplateError(AltTrainError):
    """A chat template cannot render the AltTrain format; the message names the remedy."""


def shown(value: Any, limit: int = 60) -> str:
    """Describe a value for an error message: its type and the start of it."""
    if value is None:
        return "nothing"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= limit else text[: limit - 1] + '…'}"
