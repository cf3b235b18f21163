from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main

from benchmarks.stand_in import stand_in

Evaluate = Callable[[Path], int]
FLAGS = "--backend api --model m --sets probe-harmful probe-benign --limit 4 --api-concurrency 2 --max-new-tokens 64"


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of a server that always gives the same answers."""
    with stand_in(words=40) as address:
        yield address


@pytest.fixture
def evaluate(url: str) -> Evaluate:
    """Evaluate the served model into a folder; gives the exit code."""
    return lambda out: main([*FLAGS.split(), "--base-url", url, "--out", str(out)])


@pytest.fixture(scope="session")
def finished(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished evaluation of the served model."""
    out = tmp_path_factory.mktemp("finished") / "run"
    assert main([*FLAGS.split(), "--base-url", url, "--out", str(out)]) == 0
    return out


def mounted(place: Path, *how: str) -> Iterator[Path]:
    """Mount something on a new folder for the time of a test."""
    place.mkdir()
    done = subprocess.run(["mount", *how, str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine lets no test mount a file system: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
