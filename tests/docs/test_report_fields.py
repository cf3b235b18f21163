from __future__ import annotations

from docs.report_fields import BEGIN, END, PAGE, table, with_table


def test_the_page_lists_the_fields_of_the_model() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert (page.count(BEGIN), page.count(END)) == (1, 1)
    assert page == with_table(page), "run: python -m docs.report_fields"


def test_nested_fields_are_named_by_their_path() -> None:
    lines = table().splitlines()
    assert "| `seed` | integer | seed of all random choices |" in lines
    assert "| `sources.NAME.read` | integer | rows read |" in lines
    assert "| `assessor.kind` | `openai_compatible` or `local` or `offline` | kind of assessor |" in lines
    assert "| `tokens.prompt.histogram.edges` | list of numbers | edges of the bins, in tokens |" in lines
    assert "| `tokens.answer` | as `tokens.prompt` | the answer |" in lines


def test_every_field_has_a_meaning() -> None:
    assert not [line for line in table().splitlines() if line.endswith("|  |")]
