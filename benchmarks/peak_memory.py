"""The most memory that a process and its children hold together."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress

SECONDS = 0.5  # between two readings


class PeakMemory(threading.Thread):
    """Reads a process and its children until it is stopped; memory that they share counts once.

    Attributes:
        peak: Bytes.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.peak = 0

    def run(self) -> None:
        import psutil

        while not self._ended.wait(SECONDS):
            total = 0
            with suppress(psutil.NoSuchProcess):
                root = psutil.Process(self._pid)
                for process in (root, *root.children(recursive=True)):
                    with suppress(psutil.Error):  # one has just ended
                        total += process.memory_full_info().pss
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self.peak


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
