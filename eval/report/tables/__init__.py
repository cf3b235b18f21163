"""Tables of results: built once, shown in the terminal, in Markdown and in HTML."""

from axolotl_alttrain.eval.report.tables.render import as_html, as_markdown, as_terminal, escaped
from axolotl_alttrain.eval.report.tables.table import Cell, Column, Interval, Table

__all__ = ["Cell", "Column", "Interval", "Table", "as_html", "as_markdown", "as_terminal", "escaped"]
