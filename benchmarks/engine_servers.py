"""Start a server, wait for it, measure the memory of its processes, and end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN = 1800.0  # seconds


class PeakMemory(threading.Thread):
    """The most memory that a process and its children hold together, in bytes; shared pages count once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.peak = 0

    def run(self) -> None:
        import psutil

        while not self._ended.wait(0.5):
            total = 0
            try:
                root = psutil.Process(self._pid)
                for process in (root, *root.children(recursive=True)):
                    total += process.memory_full_info().pss
            except psutil.Error:  # one has just ended
                continue
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self.peak


def measured(command: Sequence[str]) -> int:
    """Run a command to its end; returns its peak memory in bytes."""
    process = subprocess.Popen(command)
    memory = PeakMemory(process.pid)
    memory.start()
    code = process.wait()
    peak = memory.stop()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with code {code}")
    return peak


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(command: Sequence[str], port: int, log: Path) -> Iterator[PeakMemory]:
    """A server in a process group of its own; the block runs once `/health` answers."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    memory = PeakMemory(process.pid)
    memory.start()
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield memory
    finally:
        memory.stop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the server ended; {log} says why:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"{url} did not answer within {STARTS_WITHIN:.0f} s; see {log}")
