"""A disk that is full or may not be written: one sentence, nothing lost, and the same command goes on later."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.run import main
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.append_only import AppendOnly
from axolotl_alttrain.storage.atomic import open_atomic, write_atomic

from ..data.conftest import config_file, trace_rows
from .conftest import Evaluate, mounted

FULL = "cannot be written (No space left on device); free some space, then run the same command again"
READ_ONLY = "cannot be written (Read-only file system); choose a folder that you may write to"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    yield from mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=64k", "tmpfs")


@pytest.fixture
def read_only(tmp_path: Path, finished: Path) -> Iterator[Path]:
    """A folder with a finished run, mounted so that not even root may write there."""
    shutil.copytree(finished, tmp_path / "kept")
    yield from mounted(tmp_path / "seen", "--bind", "-o", "ro", str(tmp_path / "kept"))


class Rows(AppendOnly):
    def __init__(self, path: Path) -> None:
        self.numbers: list[int] = []
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        self.numbers.append(row["number"])


def fill(write: Callable[[int], object]) -> None:
    for number in range(100):
        write(number)


def test_appended_lines_are_whole_on_a_full_disk_and_go_on_when_there_is_room(small: Path) -> None:
    path, filler = small / "rows.jsonl", small / "filler"
    filler.write_bytes(b"x" * 40_000)
    with Rows(path) as file, pytest.raises(AltTrainError) as full:
        fill(lambda number: file.write({"number": number, "text": "y" * 1000}))
    assert str(full.value) == f"{path} {FULL}"
    written = path.read_bytes().count(b"\n")
    assert 0 < written < 30
    assert path.read_bytes().endswith(b"}\n")
    filler.unlink()
    with Rows(path) as file:
        assert file.numbers == list(range(written))
        file.write({"number": written})
    with Rows(path) as file:
        assert file.numbers == list(range(written + 1))


def test_a_file_keeps_its_content_on_a_full_disk(small: Path) -> None:
    write_atomic(small / "a.txt", "before")
    with pytest.raises(AltTrainError) as full, open_atomic(small / "a.txt") as file:
        fill(lambda number: file.write("x" * 1000))
    assert str(full.value) == f"{small / 'a.txt'} {FULL}"
    assert [(path.name, path.read_text()) for path in small.iterdir()] == [("a.txt", "before")]


def test_the_file_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    dead = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(dead, 0)
    abandoned, other = tmp_path / f".a.txt.{dead}", tmp_path / f".b.txt.{dead}"
    living, foreign = tmp_path / f".a.txt.{os.getppid()}", tmp_path / ".a.txt.swp"
    for path in (abandoned, other, living, foreign):
        path.write_text("half")
    write_atomic(tmp_path / "a.txt", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", other.name, living.name, foreign.name}


def test_an_evaluation_goes_on_when_there_is_room(
    small: Path, evaluate: Evaluate, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filler, out = small / "filler", small / "run"
    filler.write_bytes(b"x" * 60_000)
    assert evaluate(out) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"eval.run: {out / 'samples.jsonl'} {FULL}"
    kept = (out / "samples.jsonl").read_bytes()
    assert kept.count(b"\n") > 0
    assert kept.endswith(b"\n")
    filler.unlink()
    assert (
        evaluate(out) == 1
    )  # room for the samples, not for the report: the results are written together or not at all
    assert FULL in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"samples.jsonl", "judgements.jsonl"}
    subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
    assert evaluate(out) == 0
    assert (out / "samples.jsonl").read_bytes().startswith(kept)
    assert {path.name for path in out.iterdir()} == {path.name for path in finished.iterdir()}
    assert (out / "scored.jsonl").read_bytes() == (finished / "scored.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["card", "."], f"results.md {READ_ONLY}"),
        (["compare", ".", "--out", "compared"], f"compared {READ_ONLY}"),
        (["--backend", "api", "--model", "m", "--limit", "1", "--base-url", "http://localhost:1/v1", "--out", "."],
         "eval.run: --out .: . is not writable; choose another folder"),
    ],
)  # fmt: skip
def test_a_read_only_folder_is_one_line(
    read_only: Path, command: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(read_only)
    before = {path.name: path.read_bytes() for path in read_only.iterdir()}
    assert main(command) == 1
    assert capsys.readouterr().err.splitlines()[-1].endswith(said)
    assert {path.name: path.read_bytes() for path in read_only.iterdir()} == before


@pytest.mark.parametrize("command", ["build", "traces"])
def test_the_builder_says_so_too(read_only: Path, tmp_path: Path, command: str, url: str) -> None:
    (tmp_path / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in trace_rows(9, 3)))
    build = [str(config_file(tmp_path, str(tmp_path / "traces.jsonl"))), "--out", str(read_only / "out")]
    served = ["--backend", "openai", "--base-url", url, "--model", "m", "--queries", "alttrain-seed"]
    given = build if command == "build" else [*served, "--out", str(read_only / "t.jsonl")]
    done = CliRunner().invoke(alttrain, [command, *given])
    place = read_only / ("out" if command == "build" else "t.samples.jsonl")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, f"Error: {place} {READ_ONLY}")
