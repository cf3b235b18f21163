"""vLLM and its router in the environment that `make vllm` builds; tests run without it and then skip what needs it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import ROOT

STARTS_WITHIN = 900.0  # seconds; a busy machine takes minutes


def vllm_python() -> Path:
    """The Python that has vLLM: ``ALTTRAIN_VLLM_PYTHON``, or the one of `make vllm`."""
    given = os.environ.get("ALTTRAIN_VLLM_PYTHON")
    python = Path(given) if given else ROOT / ".venv-vllm" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"{python} is missing; run 'make vllm', or name a Python with vLLM in ALTTRAIN_VLLM_PYTHON")
    return python


def program(name: str, package: str) -> Path:
    """A program beside vLLM's Python or on the PATH."""
    given = os.environ.get("ALTTRAIN_VLLM_PYTHON")
    folder = Path(given).parent if given else ROOT / ".venv-vllm" / "bin"
    found = folder / name if (folder / name).is_file() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is missing; run 'make vllm', or 'pip install {package}'")
    return Path(found)


def environment(**more: str) -> dict[str, str]:
    """An engine with one GiB for its cache that looks nothing up outside."""
    quiet = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | quiet | more


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Process:
    """A server in a process group of its own, so that its workers end with it."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str]) -> None:
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdout=output, stderr=subprocess.STDOUT, env=dict(env), cwd=ROOT, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """End it at once, as a machine that fails does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_until_up(self, url: str) -> None:
        """Wait until an address answers."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                with urllib.request.urlopen(url, timeout=10):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise AssertionError(f"{url} did not answer; the log ends with {self.log.read_text()[-3000:]}")


@contextmanager
def running(command: Sequence[str | Path], log: Path, up: str, **env: str) -> Iterator[Process]:
    """A server that has answered at ``up``; it ends with the block."""
    server = Process(command, log, environment(**env))
    try:
        server.wait_until_up(up)
        yield server
    finally:
        server.kill()
