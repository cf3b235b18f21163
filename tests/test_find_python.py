from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
SCRIPT = ROOT / ".ci" / "find-python"


def find(*minors: str, path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(path), "HOME": str(home)}
    return subprocess.run([SCRIPT, *minors], env=env, capture_output=True, text=True)


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "cc").symlink_to("/bin/true")  # 3.13 is taken only where there is a compiler
    return folder


def test_a_python_on_the_path(binaries: Path, tmp_path: Path) -> None:
    (binaries / f"python{THIS}").symlink_to(Path(sys.base_prefix) / "bin" / f"python{THIS}")
    assert find("3.99", THIS, path=binaries, home=tmp_path).stdout == f"{binaries}/python{THIS}\n"


def test_a_shim_without_a_python_behind_it_is_passed_over(binaries: Path, tmp_path: Path) -> None:
    shim = binaries / "python3.99"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    (binaries / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python{THIS}")
    assert find("3.99", THIS, path=binaries, home=tmp_path).stdout == f"{binaries}/python3\n"


def test_a_python_of_pyenv_that_is_not_on_the_path(binaries: Path, tmp_path: Path) -> None:
    python = tmp_path / ".pyenv" / "versions" / f"{THIS}.0" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(Path(sys.base_prefix) / "bin" / f"python{THIS}")
    (binaries / f"python{THIS}").write_text("#!/bin/sh\nexit 127\n")
    (binaries / f"python{THIS}").chmod(0o755)
    assert find(THIS, path=binaries, home=tmp_path).stdout == f"{python}\n"


def test_none(binaries: Path, tmp_path: Path) -> None:
    done = find("3.99", path=binaries, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "no Python 3.99 with the venv module found; install one, or name it: make test PYTHON=/path/to/python3\n"
    )
