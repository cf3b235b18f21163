from __future__ import annotations

import pytest

from docs.field_tables import PAGE, TABLES, config_keys, marks, report_fields, with_tables


def test_the_page_has_the_tables_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [page.count(mark) for what in TABLES for mark in marks(what)] == [1, 1, 1, 1]
    assert page == with_tables(page), "run: python -m docs.field_tables"


def test_nested_fields_are_named_by_their_path() -> None:
    lines = report_fields().splitlines()
    assert "| `seed` | integer | seed of all random choices |" in lines
    assert "| `sources.NAME.read` | integer | rows read |" in lines
    assert "| `assessor.kind` | `openai_compatible` or `local` or `offline` | kind of assessor |" in lines
    assert "| `tokens.prompt.histogram.edges` | list of numbers | edges of the bins, in tokens |" in lines
    assert "| `tokens.answer` | as `tokens.prompt` | the answer |" in lines


def test_keys_have_their_type_limits_and_default() -> None:
    lines = [line.rpartition(" | ")[0] for line in config_keys().splitlines()]
    for line in (
        "| `sources` | list of objects | required",
        "| `sources.take` | list of `harmful` or `benign` | `[harmful, benign]`",
        "| `sources.labels` | `harmful` or `benign` by name | ",
        "| `sources.columns.query` | string | `instruction`",
        "| `sources.limit` | integer, at least 1 | ",
        "| `harmful` | integer or `all` | `900`",
        "| `assessor.kind` | `offline` or `openai_compatible` or `local` | `offline`",
        "| `near_duplicates` | number or null, at least 0.5, at most 1 | `0.8`",
        "| `overlap` | boolean | `true`",
    ):
        assert lines.count(line) == 1, line


def test_keys_of_one_kind_of_assessor_say_so() -> None:
    lines = [line for line in config_keys().splitlines() if line.startswith("| `assessor.attempts`")]
    words = "replies requested for a query until one is usable |"
    assert lines == [
        f"| `assessor.attempts` | integer, at least 1 | `3` | with `openai_compatible`: {words}",
        f"| `assessor.attempts` | integer, at least 1 | `2` | with `local`: {words}",
    ]


@pytest.mark.parametrize("table", TABLES.values())
def test_every_field_has_a_meaning(table: object) -> None:
    assert callable(table)
    assert not [line for line in table().splitlines() if line.endswith(("|  |", ": |"))]
