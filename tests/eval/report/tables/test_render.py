"""One table, shown in three ways."""

from __future__ import annotations

from axolotl_alttrain.eval.report.tables import Column, Interval, Table, as_html, as_markdown, as_terminal
from axolotl_alttrain.eval.report.tables.table import text_column
from rich.console import Console

TABLE = Table(
    "Rates",
    (text_column("metric"), Column("base", "%"), Column("difference", "points", "of two", compact=True)),
    (
        ("a|b <i>[x]", Interval(5.0, 1.25, 100.0), Interval(-5.0, -10.0, 0.0, signed=True)),
        ("none", Interval(None, None, None), "–"),
        ("counted", Interval(50.0, 20.0, 80.0, n=1234), Interval(7.4, 3.0, 12.0, digits=0, signed=True)),
    ),
    "95 % interval",
    ("A & B.",),
)


def test_markdown_escapes_markup_and_keeps_intervals() -> None:
    assert as_markdown(TABLE) == (
        "| metric | base, % | difference, points (of two) |\n"
        "| :-- | --: | --: |\n"
        "| a\\|b &lt;i>\\[x\\] | 5.0 \\[1.2, 100.0\\] | -5.0 \\[-10.0, +0.0\\] |\n"
        "| none | – | – |\n"
        "| counted | 50.0 \\[20.0, 80.0\\], 1,234 | +7 \\[+3, +12\\] |\n"
        "\n"
        "A &amp; B.\n"
    )


def test_html_escapes_markup_and_aligns_numbers() -> None:
    assert as_html(TABLE) == (
        "<table>\n"
        '<tr><th>metric</th><th class="n">base, %</th><th class="n">difference, points (of two)</th></tr>\n'
        '<tr><td>a|b &lt;i&gt;[x]</td><td class="n">5.0 [1.2, 100.0]</td><td class="n">-5.0 [-10.0, +0.0]</td></tr>\n'
        '<tr><td>none</td><td class="n">–</td><td class="n">–</td></tr>\n'
        '<tr><td>counted</td><td class="n">50.0 [20.0, 80.0], 1,234</td><td class="n">+7 [+3, +12]</td></tr>\n'
        '</table>\n<p class="soft">A &amp; B.</p>'
    )


def test_the_terminal_pads_rates_and_leaves_intervals_of_compact_columns_out() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(as_terminal(TABLE))
    lines = [line.strip() for line in shown.get().splitlines()]
    assert lines[0] == "Rates [95 % interval]"
    rows = [[cell.strip(" │") for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert rows == [
        ["a|b <i>[x]", "5.0  [ 1.2, 100.0]", "-5.0"],
        ["none", "–", "–"],
        ["counted", "50.0  [20.0,  80.0], 1,234", "+7"],
    ]
    assert lines[-1] == "A & B."
