"""The promise that every input is held to, and the count of how the inputs ended."""

from __future__ import annotations

import contextlib
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from axolotl_alttrain.errors import AltTrainError

SECONDS = 300  # an input that takes longer counts as a hang; a template may take seconds of processor time
LONGEST = 1_500  # characters of a message
_REMEDY = re.compile(r"[;.] \w|\bmust be\b|\b[Ss]hould be\b|\ballowed: ")  # what to write is a remedy too


class _Hang(BaseException):
    pass


@dataclass
class Tally:
    """How the inputs of one kind ended.

    Attributes:
        ends: Numbers of results, skips and refusals.
        faults: What broke the promise: the input's number and what was seen.
        slowest: Seconds of the slowest input.
    """

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def tried(self) -> int:
        """Number of inputs."""
        return sum(self.ends.values()) + len(self.faults)


def hold(tally: Tally, number: int, call: Callable[[], str | None], names: tuple[str, ...] = ()) -> None:
    """Run one input and count how it ends.

    Args:
        tally: Where to count.
        number: The input's number; with the seed it gives the input again.
        call: The package's part that reads the input. It returns what is wrong with its result, ``skipped``, or None.
        names: What an error must name: one of these, such as the file's name with the row.
    """
    started = time.perf_counter()
    try:
        with _time_limit():
            found = call()
    except AltTrainError as error:
        _count(tally, number, "refused", _fault_of_message(str(error), names))
    except _Hang:
        tally.faults.append(f"{number}: took more than {SECONDS} seconds")
    except (Exception, SystemExit) as error:
        tally.faults.append(f"{number}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
    else:
        _count(tally, number, "skipped" if found == "skipped" else "result", None if found == "skipped" else found)
    tally.slowest = max(tally.slowest, time.perf_counter() - started)


def _count(tally: Tally, number: int, end: str, fault: str | None) -> None:
    if fault is None:
        tally.ends[end] += 1
    else:
        tally.faults.append(f"{number}: {fault}")


def _fault_of_message(message: str, names: tuple[str, ...]) -> str | None:
    first, *listed = message.splitlines() or [""]
    if listed and first == f"{len(listed)} things are wrong:" and all(re.match(r"  \S", line) for line in listed):
        return next(filter(None, (_fault_of_message(line.strip(), names) for line in listed)), None)
    if listed:
        return f"the message has several lines: {message[:200]!r}"
    if len(message) > LONGEST:
        return f"the message has {len(message)} characters: {message[:200]}"
    if names and not any(name in message for name in names):
        return f"the message does not name {' or '.join(names)}: {message[:200]}"
    if not _REMEDY.search(message):
        return f"the message has no remedy: {message[:200]}"
    return None


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise _Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
