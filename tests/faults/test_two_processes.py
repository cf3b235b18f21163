"""Two processes on one output folder: one works, the other says so and changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.storage.locks import only_writer

from ..data.conftest import config_file, trace_rows
from .conftest import FLAGS

pytest.importorskip("fcntl", reason="this system has no file locks")
HOLD = (
    "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); "
    "print('locked', flush=True); time.sleep(600)"
)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process holds the lock of a file or folder."""
    other = subprocess.Popen([sys.executable, "-S", "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
    finally:
        other.kill()
        other.wait()


def eval_run(*arguments: str) -> Callable[[str, Path], int]:
    return lambda url, out: main([a.replace("URL", url).replace("OUT", str(out)) for a in arguments])


def builder(url: str, out: Path) -> int:
    (out.parent / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in trace_rows(9, 3)))
    file = config_file(out.parent, str(out.parent / "traces.jsonl"))
    done = CliRunner().invoke(alttrain, ["build", str(file), "--out", str(out)])
    print(done.stderr, file=sys.stderr)
    return done.exit_code


@pytest.mark.parametrize(
    "command",
    [
        eval_run(*FLAGS.split(), "--base-url", "URL", "--out", "OUT"),
        eval_run("card", "OUT"),
        eval_run("compare", "OUT", "--out", "OUT"),
        builder,
    ],
    ids=["evaluate", "card", "compare", "build"],
)
def test_the_second_says_so(
    command: Callable[[str, Path], int],
    url: str,
    finished: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    said = f"{out}: another process is writing to this folder; wait for it to finish, or choose another folder"
    with held(out):
        assert command(url, out) == 1
        assert capsys.readouterr().err.strip().splitlines()[-1].endswith(said)
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert command(url, out) == 0


def test_a_new_folder_that_stays_empty_goes_away(tmp_path: Path) -> None:
    with only_writer(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    with only_writer(tmp_path / "a"):
        pass
    assert (tmp_path / "a").is_dir()  # it was there before
