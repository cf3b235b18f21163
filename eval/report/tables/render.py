"""A table in the terminal, in Markdown and in HTML."""

from __future__ import annotations

from axolotl_alttrain.eval.report.tables.numbers import cell_text
from axolotl_alttrain.eval.report.tables.table import Cell, Column, Interval, Table
from markupsafe import Markup, escape
from rich.table import Table as RichTable
from rich.text import Text

NARROW = 12  # characters of a compact column in the terminal


def as_terminal(table: Table) -> RichTable:
    """For the terminal: numbers stand below one another, and compact columns leave their intervals out."""
    shown = RichTable(
        title=Text(table.full_title, style="bold red" if table.alarm else ""),
        title_justify="left",
        caption=Text(" ".join(table.notes)) if table.notes else None,
    )
    rows = [[_terminal(cell, column) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows]
    for i, column in enumerate(table.columns):
        widths = [len(cells[i]) for cells, row in zip(rows, table.rows, strict=True) if isinstance(row[i], Interval)]
        shown.add_column(
            Text(column.heading),
            justify=column.align,
            min_width=max(widths, default=None),  # intervals do not wrap
            max_width=max([NARROW, *widths]) if column.compact else None,
        )
    for cells in rows:
        shown.add_row(*map(Text, cells))
    return shown


def as_markdown(table: Table) -> str:
    """A Markdown table and its notes, without the title; ends with a line end."""
    rule = [":--" if column.align == "left" else "--:" for column in table.columns]
    heading = [escaped(column.heading) for column in table.columns]
    rows = [[escaped(cell_text(cell)) for cell in row] for row in table.rows]
    lines = "".join(f"| {' | '.join(line)} |\n" for line in (heading, rule, *rows))
    return "\n".join([lines, *(f"{escaped(note)}\n" for note in table.notes)])


def as_html(table: Table) -> Markup:
    """A ``<table>`` and its notes, without the title; everything in it is escaped."""
    sides = [' class="n"' if column.align == "right" else "" for column in table.columns]
    heading = "".join(
        f"<th{side}>{escape(column.heading)}</th>" for side, column in zip(sides, table.columns, strict=True)
    )
    body = ""
    for row in table.rows:
        cells = (f"<td{side}>{_html(cell, table.wide)}</td>" for side, cell in zip(sides, row, strict=True))
        body += f"<tr>{''.join(cells)}</tr>\n"
    opening = '<table class="wide">' if table.wide else "<table>"
    notes = "".join(f'\n<p class="soft">{escape(note)}</p>' for note in table.notes)
    return Markup(f"{opening}\n<tr>{heading}</tr>\n{body}</table>{notes}")  # nosec B704: escaped above


def escaped(text: str) -> str:
    """Text in which Markdown reads nothing as markup or as the end of a cell."""
    one_line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join("\\" + c if c in "\\|`*_[]" else c for c in one_line)


def _terminal(cell: Cell, column: Column) -> str:
    return cell_text(cell, padded=True, compact=column.compact)


def _html(cell: Cell, wide: bool) -> Markup:
    """Escaped; in a wide table, whose cells wrap, an interval's bounds stay on one line."""
    text = cell_text(cell)
    return escape(text.replace(", ", ",\u00a0") if wide else text)
