"""One reader for every data file of a user: what is read, and what each mistake says."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.row_files import check_rows, is_missing, kind_of, read_rows

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.jsonl", b'{"a": "x"}\r\n\n{"a": "y"}', [(1, {"a": "x"}), (3, {"a": "y"})]),
        ("A.JSONL", BOM + b'{"a": "x"}\n', [(1, {"a": "x"})]),
        ("a.jsonl", '{"a": "x\u2028y\u0085z"}\n'.encode(), [(1, {"a": "x\u2028y\u0085z"})]),
        ("a.jsonl", b'{"a": "\\ud83d\\ude00 \\u0000"}\n', [(1, {"a": "\U0001f600 \0"})]),
        ("a.jsonl", b'[{"a": 1},\n {"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        ("a.json", b'[\n{"a": 1},\n{"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', [(1, {"a": 1}), (2, {"a": 2})]),
        ("a.json", BOM + b'{"version": 1, "rows": [{"a": 1}]}', [(1, {"a": 1})]),
        ("a.csv", BOM + b'a,b\r\nNULL,007\r\n"x, ""y""\nz",\r\n\r\n', [(1, {"a": "NULL", "b": "007"}), (2, None)]),
        ("a.CSV", b"a,b\nNone,1.50\nx\n", [(1, {"a": "None", "b": "1.50"}), (2, {"a": "x", "b": None})]),
        ("a.tsv", b"a\tb\nx, y\tz\n", [(1, {"a": "x, y", "b": "z"})]),
        ("a.txt", BOM + "one\u2028more \r\n\n two\n".encode(), [(1, {"text": "one\u2028more"}), (3, {"text": "two"})]),
        ("a.json", b'{"a": 1}', [(1, {"a": 1})]),
        ("a.jsonl", b"", []),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_read(
    tmp_path: Path, name: str, content: bytes, rows: list[tuple[int, dict[str, str] | None]], packed: bool
) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    expected = [(number, {"a": 'x, "y"\nz', "b": None} if row is None else row) for number, row in rows]
    assert list(read_rows(path)) == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.jsonl",
            b'{"a": 1}\n{"a":  \n',
            "row 2 is not valid JSON (Expecting value at column 6); write one object per",
        ),
        ("a.jsonl", b'{"a": 1}\n[1]\n', "row 2 is the list [1]; write one JSON object per line"),
        ("a.jsonl", b'{"a": "x\xe9"}\n', "cannot be read as UTF-8 text (byte 9 of row 1: invalid continuation byte);"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "cannot be read as UTF-8 text (it is UTF-16); save the file as UTF-8"),
        ("a.jsonl", b'{"a": "x\0"}\n', "row 1 contains a NUL character, as in a binary file or UTF-16; save the file"),
        (
            "a.jsonl",
            b'{"a": {"b": ["\\ud800"]}}\n',
            r"row 1 is not valid JSON (a.b contains \ud800, half of a surrogate",
        ),
        ("a.jsonl", b'{"a": 1, "a": 2}\n', "row 1 is not valid JSON (the key 'a' appears twice);"),
        ("a.jsonl", b'{"a": ' + b"[" * 100_000, "row 1 is not valid JSON (it is nested too deeply);"),
        ("a.jsonl", b'{"a": ' + b"9" * 5_000 + b"}", "row 1 is not valid JSON (Exceeds the limit"),
        (
            "a.json",
            b'[{"a": 1},\n{"a"]',
            "cannot be read (Expecting ':' delimiter at line 2, column 5); correct the JSON",
        ),
        ("a.json", b'[{"a": 1}, 2]', "row 2 is the int 2; write a list of objects"),
        ("a.csv", b"a;b\n1;2\n", "separates its columns with semicolons ('a;b'); use commas"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "row 2 has 3 cells, but the header has 2; put texts that contain commas in"),
        ("a.csv", b"a,b,a\n1,2,3\n", "has the column 'a' more than once; rename one of them"),
        ("a.csv", b'a,b\n1,2\n"x,2\n3,4\n', "the row that starts in line 3 is not valid CSV (unexpected end of data);"),
        ("a.csv", b'a,b\n"x"y,2\n', "the row that starts in line 2 is not valid CSV (',' expected after '\"');"),
        ("a.parquet", b"PAR1 no", "cannot be read ("),
        ("a.jsonl.gz", b"no archive", "cannot be read (Not a gzipped file (b'no')); check the path and the file"),
        ("a.jsonl.gz", gzip.compress(bytes(range(256)), mtime=0)[:60], "Compressed file ended"),
        ("a.xlsx", b"PK", "has the suffix '.xlsx'; allowed: .jsonl, .json, .csv, .tsv, .parquet, .txt, also with .gz"),
    ],
)
def test_mistakes_name_file_row_and_remedy(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AltTrainError) as found:
        list(read_rows(path))
    assert str(path) in str(found.value)
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")  # opening it would wait for a writer
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"a": 1}) + "\n")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "rows.jsonl")
    for name, said in (
        ("pipe", "it is not a regular file"),
        ("folder", "it is not a regular file"),
        ("gone", "No such file"),
        ("loop", "symbolic link"),
    ):
        with pytest.raises(AltTrainError, match=rf"{name}\.jsonl cannot be read \(.*{said}"):
            list(read_rows(tmp_path / f"{name}.jsonl"))
    assert list(read_rows(tmp_path / "link.jsonl")) == [(1, {"a": 1})]


def test_a_checked_file_has_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    assert check_rows(path) == ["a", "b"]
    path.write_text("a,b\n")
    with pytest.raises(AltTrainError, match=r"a\.csv has no rows; add at least one"):
        check_rows(path)


def test_kinds_by_suffix() -> None:
    names = ("a.JSONL", "a.json.gz", "b.Csv.GZ", "a.parquet", "org/data", "notes.md", "a.gz")
    assert list(map(kind_of, names)) == ["jsonl", "json", "csv", "parquet", None, None, None]
    assert [is_missing(name) for name in ("no.jsonl", "s3://bucket/no.jsonl", "org/data")] == [True, False, False]
