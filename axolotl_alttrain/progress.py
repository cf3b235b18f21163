"""A sign of life from long work: where no bar is seen, as in a log file, a line at least every 20 seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

SECONDS = 20.0  # between two lines
_BLOCKS: list[object] = []  # of this process; only the innermost speaks
_heard = [time.monotonic()]  # when a block last spoke, so that short blocks in a row are not silent together


@contextmanager
def spoken(console: Console, line: str | Callable[[], str]) -> Iterator[None]:
    """Print a line every 20 seconds while the block runs, and after short blocks in a row that printed none.

    Args:
        console: Where to print. Nothing is printed in a terminal, where bars show progress.
        line: What is being done, or a function that says how far it has come.
    """
    if console.is_terminal:
        yield
        return
    this, ended, started = object(), threading.Event(), time.monotonic()

    def speak() -> None:
        while not ended.wait(max(_heard[0] + SECONDS - time.monotonic(), SECONDS / 10)):
            if _BLOCKS[-1] is this and time.monotonic() >= _heard[0] + SECONDS:
                _heard[0] = time.monotonic()
                now = line() if callable(line) else f"{line}, {time.monotonic() - started:.0f} s so far"
                console.print(now, markup=False, highlight=False)

    _BLOCKS.append(this)
    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        _BLOCKS.remove(this)
