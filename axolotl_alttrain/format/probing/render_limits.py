"""Stop a chat template that loops or writes without end: limits on the processor time and the memory of one rendering.

They hold in the main thread, where the operating system's timers can interrupt Python; a template is always learned
there before other threads use it. Windows has no such timers.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import AltTrainError, one_line

SECONDS = 5.0
MEMORY = 1 << 30  # bytes by which the process may grow
_TICK = 0.1  # seconds of processor time between two checks


class TemplateLimitError(AltTrainError):
    """A chat template does not come to an end."""


@dataclass
class _Watch:
    """The rendering under way, if there is one: the processor time and the memory at its start."""

    started: float | None = None
    memory: int = 0

    def check(self, *_: Any) -> None:
        """Called by the timer."""
        if self.started is None:
            return
        if time.process_time() - self.started > SECONDS:
            raise TemplateLimitError(
                f"the chat template has not finished after {SECONDS:g} seconds; correct its loops, or set "
                "'chat_template:' to another template"
            )
        if _peak_memory() - self.memory > MEMORY:
            raise TemplateLimitError(
                f"the chat template has taken more than {MEMORY >> 20} MiB of memory; correct what it repeats, or set "
                "'chat_template:' to another template"
            )


_WATCH = _Watch()


@contextmanager
def limited() -> Iterator[None]:
    """Hold the limits inside the context.

    Raises:
        TemplateLimitError: One is exceeded.
    """
    if not _can_watch():
        yield
        return
    _WATCH.started, _WATCH.memory = time.process_time(), _peak_memory()
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _WATCH.started = None


def rendered_prompt(tokenizer: Any, turns: Sequence[Mapping[str, Any]], of: str, remedy: str, **options: Any) -> str:
    """The prompt of a model that only judges or assesses, by its own chat template and within the limits.

    Args:
        tokenizer: Its tokenizer.
        turns: What it is asked.
        of: The template in words, for the message.
        remedy: What to do where the template refuses the turns.
        options: Variables of the template.

    Raises:
        AltTrainError: It refuses them, or does not come to an end.
    """
    try:
        with limited():
            return str(
                tokenizer.apply_chat_template(list(turns), tokenize=False, **{"add_generation_prompt": True, **options})
            )
    except Exception as error:  # Jinja raises many kinds; templates raise their own by raise_exception
        roles = ", ".join(turn["role"] for turn in turns)
        raise AltTrainError(f"{of} cannot render the turns {roles} ({one_line(error)}); {remedy}") from None


def _can_watch() -> bool:
    """Install the handler, unless the signal is somebody else's. It stays: a late signal would end the process."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    found = signal.getsignal(signal.SIGPROF)
    if found == signal.SIG_DFL:
        signal.signal(signal.SIGPROF, _WATCH.check)
        return True
    return found == _WATCH.check


def _peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
