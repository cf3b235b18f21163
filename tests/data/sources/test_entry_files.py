"""Local files are read through before they are loaded: by training, and by the builder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.sources.entry_files import check_files
from axolotl_alttrain.data.sources.row_loading import load_rows
from axolotl_alttrain.errors import AltTrainError


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "good.jsonl"},
        {"path": ".", "data_files": ["good.jsonl"]},
        {"path": "good.dat"},  # Axolotl takes an unknown suffix for JSON
        {"path": "org/name"},
        {"path": "s3://bucket/rows.jsonl"},
        {"path": "bad.jsonl", "ds_type": "arrow"},
    ],
)
def test_what_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("good.jsonl", "good.dat"):
        Path(name).write_text('{"a": 1}\n')
    Path("bad.jsonl").write_text("{")
    check_files(entry)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"path": "bad.jsonl"}, "datasets: bad.jsonl, row 2 is not valid JSON (Expecting value at column 6); write"),
        ({"path": ".", "data_files": "bad.jsonl"}, "datasets: bad.jsonl, row 2 is not valid JSON"),
        ({"path": "bad.dat"}, "datasets: bad.dat, row 2 is not valid JSON"),
        ({"path": "empty.json"}, "datasets: empty.json has no rows; add at least one"),
        ({"path": "rows.TSV"}, "datasets: rows.TSV is a tsv file, which cannot be trained on; save it as CSV or JSONL"),
        ({"path": "no.csv"}, "datasets: no.csv cannot be read (there is no such file); correct 'path:', which is"),
    ],
)
def test_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bad.jsonl", "bad.dat"):
        Path(name).write_text('{"a": 1}\n{"a": ')
    Path("empty.json").touch()
    Path("rows.TSV").write_text("a\n1\n")
    with pytest.raises(AltTrainError) as found:
        check_files(entry)
    assert str(found.value).startswith(said)


def test_the_builder_reads_local_files_with_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.JSONL"
    path.write_text('{"a": "x"}\n\n{"b": null, "a": "y"}\n')
    assert list(load_rows(str(path))) == [(1, {"a": "x", "b": None}), (3, {"a": "y", "b": None})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.jsonl", '{"a": 1}\n{"a"', "row 2 is not valid JSON"),
        ("rows.jsonl", "", "has no rows; add at least one"),
        ("rows.txt", "a", "has the suffix '.txt'; allowed: .jsonl, .json, .csv, .tsv, .parquet, also with .gz"),
        ("no.jsonl", None, "no.jsonl: there is no such file; correct the path"),
    ],
)
def test_a_broken_source_is_named_before_its_first_row(tmp_path: Path, name: str, content: str, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(AltTrainError) as found:
        next(load_rows(str(tmp_path / name)))
    assert str(tmp_path / name) in str(found.value)
    assert said in str(found.value)
    assert "Hub" not in str(found.value)
