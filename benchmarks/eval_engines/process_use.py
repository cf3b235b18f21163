"""What a process and its children use: the most memory that they hold together, and their CPU time."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

SECONDS = 2.0  # between two readings, each of which takes CPU time from what is measured


class PeakMemory(threading.Thread):
    """Reads a process and its children until it is stopped; memory that they share counts once.

    Attributes:
        pid: The process.
        peak: Bytes.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self._ended = pid, threading.Event()
        self.peak = 0

    def run(self) -> None:
        import psutil

        while not self._ended.wait(SECONDS):
            total = 0
            for process in with_children(self.pid):
                with suppress(psutil.Error):  # one has just ended
                    total += process.memory_full_info().pss
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self.peak


def with_children(pid: int) -> Iterator[Any]:
    """A process and everything that it started, as long as they run."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        yield from (root, *root.children(recursive=True))


def cpu_seconds(pids: Sequence[int]) -> float:
    """The CPU time of processes and their children so far, in user and system mode."""
    import psutil

    total = 0.0
    for pid in pids:
        for process in with_children(pid):
            with suppress(psutil.Error):  # one has just ended
                times = process.cpu_times()
                total += times.user + times.system
    return total


def measured(command: Sequence[str]) -> int:
    """Run a command to its end; returns its peak memory in bytes.

    Raises:
        SystemExit: It failed.
    """
    process = subprocess.Popen(command)
    memory = PeakMemory(process.pid)
    memory.start()
    code = process.wait()
    peak = memory.stop()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with code {code}")
    return peak
