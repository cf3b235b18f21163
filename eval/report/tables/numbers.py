"""Numbers as cells and as text."""

from __future__ import annotations

from collections.abc import Iterable

from axolotl_alttrain.eval.report.tables.table import Cell, Interval
from axolotl_alttrain.eval.results.run_results import PairedLength
from axolotl_alttrain.eval.stats.intervals_and_tests import Mean, Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest

NONE = "–"  # stands in a cell without a number


def percent(rate: Rate | Mean, n: int | None = None) -> Interval:
    """A rate in percent, followed by the number of samples where it is given."""
    return Interval(_times_100(rate.value), _times_100(rate.low), _times_100(rate.high), n=n)


def points(test: PairedTest | None) -> Cell:
    """A paired difference in percentage points."""
    if test is None or test.difference is None or test.low is None:
        return NONE
    return Interval(_times_100(test.difference), _times_100(test.low), _times_100(test.high), signed=True)


def longer(length: PairedLength) -> Cell:
    """A paired difference of lengths."""
    return Interval(length.difference, length.low, length.high, digits=0, signed=True)


def p_text(value: float | None) -> str:
    """A p-value in text; a dash where there is none."""
    if value is None:
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_heading(tests: Iterable[PairedTest]) -> str:
    """The heading over p-values, which names the tests that they come from."""
    names = {"mcnemar": "McNemar", "permutation": "permutation"}
    found = sorted({names[test.test] for test in tests if test.pairs})
    return f"p ({', '.join(found) or 'McNemar'})"


def detectable_text(share: float | None) -> str:
    """A smallest detectable difference in percentage points; a dash where no difference would be found."""
    return NONE if share is None else f"{100 * share:.1f}"


def interval_text(one: Interval, padded: bool = False, compact: bool = False) -> str:
    """A number with its interval.

    Args:
        one: The number.
        padded: Fill up with spaces, so that percentages stand below one another.
        compact: Leave the interval out.
    """
    if one.value is None:
        return NONE
    if one.signed:
        value, low, high = (None if v is None else f"{v:+.{one.digits}f}" for v in (one.value, one.low, one.high))
    else:
        widths = (5, 4, 5) if padded else (0, 0, 0)
        value, low, high = (
            None if v is None else f"{v:{width}.{one.digits}f}"
            for v, width in zip((one.value, one.low, one.high), widths, strict=True)
        )
    gap = "  " if padded and not one.signed else " "
    text = f"{value}" if compact or low is None else f"{value}{gap}[{low}, {high}]"
    return text if one.n is None else f"{text}, {one.n:,}"


def cell_text(cell: Cell, padded: bool = False, compact: bool = False) -> str:
    """A cell as text."""
    return cell if isinstance(cell, str) else interval_text(cell, padded, compact)


def _times_100(value: float | None) -> float | None:
    return None if value is None else 100 * value
