from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.append_only import AppendOnly


class Rows(AppendOnly):
    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.rows: dict[int, str] = {}
        super().__init__(path, read_only)

    def read(self, row: dict[str, Any], offset: int) -> None:
        self.rows[offset] = row["text"]


def write(path: Path, *texts: str) -> None:
    with Rows(path) as file:
        for text in texts:
            file.write({"text": text})


def test_lines_come_back_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    write(path, "a", "ä\u2028b")  # a line separator is part of a text
    write(path, "c")
    assert path.read_bytes() == '{"text": "a"}\n{"text": "ä\u2028b"}\n{"text": "c"}\n'.encode()
    with Rows(path) as file:
        assert file.rows == {0: "a", 14: "ä\u2028b", 33: "c"}
        assert file.line_at(14) == {"text": "ä\u2028b"}
        assert file.write({"text": "d"}) == 47


@pytest.mark.promise("faults", "A half line at the end of a file is cut off, and a broken one in the middle is named.")
def test_a_half_last_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "\xc3')
    with Rows(path, read_only=True) as file:
        assert file.rows == {0: "a"}
    assert path.read_bytes().endswith(b"\xc3")
    write(path, "b")
    assert path.read_bytes() == b'{"text": "a"}\n{"text": "b"}\n'


@pytest.mark.promise("faults", "A half line at the end of a file is cut off, and a broken one in the middle is named.")
@pytest.mark.parametrize("line", [b"{", b"5", b"{}", b'{"text": "\xff"}'])
def test_a_broken_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + line + b"\n")
    with pytest.raises(AltTrainError, match=r"rows\.jsonl, line 2 is damaged \(.*\); delete the line"):
        Rows(path)
    path.write_bytes(b'{"text": "a"}\n')
    write(path, "b")  # the failed attempt holds no lock


def test_reading_creates_nothing(tmp_path: Path) -> None:
    file = Rows(tmp_path / "none" / "rows.jsonl", read_only=True)
    with pytest.raises(ValueError, match="open for reading only"):
        file.write({"text": "a"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("faults", "Two processes never write to one file; the second says so.")
def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no file locks")
    path = tmp_path / "rows.jsonl"
    code = (
        "import pathlib, sys, time; from axolotl_alttrain.storage.append_only import AppendOnly\n"
        "file = AppendOnly(pathlib.Path(sys.argv[1])); file.write({'text': 'a'}); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(AltTrainError, match=r"rows\.jsonl: another process is writing to this file; wait"):
            Rows(path)
        assert Rows(path, read_only=True).rows == {0: "a"}
    finally:
        other.kill()
        other.wait()
    write(path, "b")
    assert Rows(path, read_only=True).rows == {0: "a", 14: "b"}
