from __future__ import annotations

import json
from pathlib import Path

import pytest

from axolotl_alttrain.data.traces.queries import Query, read_queries
from axolotl_alttrain.errors import AltTrainError
from tests.conftest import SEED


def test_the_seeds_benign_rows_by_name() -> None:
    queries = read_queries("alttrain-seed")
    rows = [json.loads(line) for line in SEED.read_text(encoding="utf-8").splitlines()]
    benign = [row for row in rows if row["label"] == "benign" and isinstance(row["instruction"], str)]
    assert [query.id for query in queries] == [row["id"] for row in benign]
    assert (queries[0].text, queries[0].category) == (benign[0]["instruction"], benign[0]["category"])


def test_lines_of_text_and_columns(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("What is 2 + 3?\n\n Name a colour. \n")
    assert read_queries(str(tmp_path / "q.txt")) == [Query("1", "What is 2 + 3?"), Query("3", "Name a colour.")]
    (tmp_path / "q.jsonl").write_text('{"prompt": "Hi", "id": 7, "language": "en"}\n')
    assert read_queries(str(tmp_path / "q.jsonl"), "prompt") == [Query("7", "Hi", language="en")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "instruction,id\nHi,\nHo,\n"),
        ("Q.JSONL", '{"instruction": "Hi", "id": null}\n{"instruction": "Ho", "id": null}\n'),
        ("q.json", '[{"instruction": "Hi"}, {"instruction": "Ho"}]'),
        ("q.txt", "\ufeffHi\nHo\n"),
        ("queries", "Hi\nHo\n"),
    ],
)
def test_every_kind_of_file_gives_the_same_queries(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_queries(str(tmp_path / name)) == [Query("1", "Hi"), Query("2", "Ho")]


def test_words_that_pandas_takes_for_missing_are_texts(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("instruction,id\nNULL,007\nNone,1.50\n42,NA\n")
    assert read_queries(str(tmp_path / "q.csv")) == [Query("007", "NULL"), Query("1.50", "None"), Query("NA", "42")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"text": "Hi"}', r"q\.jsonl, row 1: field 'instruction' is missing; write a string, or name another column"),
        ('{"instruction": "Hi", "label": "harmful"}', r"row 1: field 'label' is 'harmful'; set it to 'benign'"),
        ('{"instruction": "Hi", "id": "a"}\n{"instruction": "Ho", "id": "a"}', "has the id 'a' more than once"),
        ("", "has no queries"),
    ],
)
def test_mistakes_name_row_and_field(tmp_path: Path, lines: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(lines)
    with pytest.raises(AltTrainError, match=message):
        read_queries(str(tmp_path / "q.jsonl"))
