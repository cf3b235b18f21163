"""The comparison as a table and as values for JSON."""

from __future__ import annotations

from typing import Any

from benchmarks.published.comparison import CHECK, OUTSIDE, TUNING, Errors, Row, errors
from benchmarks.published.points import Published

_HEADER = (
    "| measurement | half | published, GiB | estimated, GiB | error | published, tokens/s | estimated, tokens/s |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
)


def halves(rows: list[Row]) -> dict[str, Errors]:
    """Errors of each half, of both, and of the points that do not count."""
    groups = {
        TUNING: [row for row in rows if row.half == TUNING],
        CHECK: [row for row in rows if row.half == CHECK],
        "both": [row for row in rows if row.half != OUTSIDE],
        OUTSIDE: [row for row in rows if row.half == OUTSIDE],
    }
    return {name: errors(group) for name, group in groups.items()}


def row_values(row: Row) -> dict[str, Any]:
    """A row for JSON."""
    return {
        "id": row.point.id,
        "half": row.half,
        "published_gib": round(row.published, 2),
        "estimated_gib": None if row.memory is None else round(row.memory, 2),
        "published_tokens_per_second": row.point.tokens_per_second,
        "estimated_tokens_per_second": None if row.speed is None else round(row.speed),
        "assumed": row.point.assumed,
        "outside": row.point.outside,
    }


def markdown(published: Published, rows: list[Row]) -> str:
    """The whole comparison."""
    found = halves(rows)
    text = "| | measurements of memory | median error | worst | measurements of speed | within a factor of |\n"
    text += "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    for name in (TUNING, CHECK, "both"):
        one = found[name]
        text += f"| {name} | {one.points} | {_percent(one.median)} | {_percent(one.worst)} | {one.speeds} "
        text += f"| {one.factor:.2f} |\n" if one.factor else "| |\n"
    for key, source in published.sources.items():
        of_source = [row for row in rows if row.point.source == key and row.half != OUTSIDE]
        if of_source:
            text += f"\n[{source.title}]({source.url}), {source.commit}. "
            text += f"Memory counts what is {_COUNTS[source.counts]}.\n\n"
            text += _HEADER + "".join(_line(row) for row in of_source)
            assumed = sorted({row.point.assumed for row in of_source if row.point.assumed})
            text += "".join(f"\nAssumed: {line}.\n" for line in assumed)
    outside = [row for row in rows if row.half == OUTSIDE]
    text += "\nNot counted, because no recipe can ask for these trainings or the figure does not describe one:\n\n"
    text += "| measurement | published, GiB | estimated, GiB | reason |\n| --- | ---: | ---: | --- |\n"
    text += "".join(
        f"| {row.point.id} | {row.published:.1f} | {_number(row.memory)} | {row.point.outside} |\n" for row in outside
    )
    return text


_COUNTS = {"allocated": "allocated", "reserved": "reserved by the allocator", "process": "used by the whole process"}


def _line(row: Row) -> str:
    error = "" if row.error is None else f"{100 * row.error:+.0f} %"
    speed = row.point.tokens_per_second if row.speed else None
    return (
        f"| {row.point.id} | {row.half} | {row.published:.1f} | {_number(row.memory)} | {error} "
        f"| {_whole(speed)} | {_whole(row.speed)} |\n"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
