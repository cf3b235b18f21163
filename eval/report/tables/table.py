"""A table as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval, in the unit of its column.

    Attributes:
        value, low, high: The number and its bounds; the interval is not shown where ``low`` is None, and the cell is a
            dash where ``value`` is.
        digits: After the decimal point.
        signed: Show the sign of positive numbers too, as differences have it.
        n: Number of samples to show after the interval.
    """

    value: float | None
    low: float | None
    high: float | None
    digits: int = 1
    signed: bool = False
    n: int | None = None


Cell = str | Interval


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: Its heading, without the unit.
        unit: ``%``, ``points`` or ``tokens``; empty for text and counts.
        note: In brackets after title and unit.
        align: Of heading and cells.
        compact: In the terminal, which is narrow, the heading wraps and numbers have no intervals.
    """

    title: str
    unit: str = ""
    note: str = ""
    align: Literal["left", "right"] = "right"
    compact: bool = False

    @property
    def heading(self) -> str:
        """Title, unit and note."""
        heading = f"{self.title}, {self.unit}" if self.unit else self.title
        return f"{heading} ({self.note})" if self.note else heading


@dataclass(frozen=True)
class Table:
    """A titled table.

    Attributes:
        title: What it shows.
        columns: At least one.
        rows: One cell per column each.
        intervals: What its intervals are, for example ``95 % Wilson interval``; empty without intervals.
        notes: Sentences to stand under it.
        wide: Cells may wrap on a page, as the table has many columns.
        alarm: The title stands out in the terminal.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    intervals: str = ""
    notes: tuple[str, ...] = ()
    wide: bool = False
    alarm: bool = False

    @property
    def full_title(self) -> str:
        """The title, and what the intervals are."""
        return f"{self.title} [{self.intervals}]" if self.intervals else self.title


def text_column(title: str) -> Column:
    """A column of words."""
    return Column(title, align="left")
