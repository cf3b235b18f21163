"""The progress of a generation in the terminal or a log file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from axolotl_alttrain.progress import spoken

SILENT_SECONDS = 60.0  # without a completion or a step; then the line says so, because the server may hang


class RunProgress:
    """Counts the completions and tokens of one run.

    Args:
        bar: Where they are shown.
        name: The run and, in a conversation, its turn.
        total: Completions to generate.
    """

    def __init__(self, bar: Progress, name: str, total: int) -> None:
        self._bar, self._name, self._total = bar, name, total
        self._task: TaskID = bar.add_task(f"{name:>5}", total=total, speed="")
        self._start = self._heard = time.monotonic()
        self._steps = self._tokens = self._done = 0

    def step(self, sequences: int) -> None:
        """One decoding step of a batch, with its number of unfinished sequences."""
        self._steps, self._heard = self._steps + sequences, time.monotonic()
        self._bar.update(self._task, speed=self._rate(self._steps))

    def finished(self, tokens: int) -> None:
        """One completion and its length; from now on, speed counts only tokens that were kept."""
        self._tokens, self._done = self._tokens + tokens, self._done + 1
        self._heard = time.monotonic()
        self._bar.update(self._task, advance=1, speed=self._rate(self._tokens))
        if self._done == self._total and not self._bar.console.is_terminal:
            self._bar.console.print(self.line())

    def line(self) -> str:
        """How far the run has come, for a log file."""
        silent = time.monotonic() - self._heard
        waiting = f", nothing new for {silent:.0f} s" if silent > SILENT_SECONDS else ""
        return f"{self._name}: {self._done} of {self._total} completions, {self._rate(self._tokens)}{waiting}"

    def _rate(self, tokens: int) -> str:
        return f"{tokens / (time.monotonic() - self._start):.0f} tokens/s"


class GenerationProgress:
    """What is printed while completions are generated."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def resumed(self, there: int, total: int, path: Path) -> None:
        """Completions that an earlier run has left in the file."""
        self._console.print(f"{there} of {total} completions are already in {path}")

    @contextmanager
    def run(self, run: str, turn: int, total: int) -> Iterator[RunProgress]:
        """A bar while one run answers one turn."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as bar:
            progress = RunProgress(bar, run + (f", turn {turn + 1}" if turn else ""), total)
            with spoken(self._console, progress.line):
                yield progress
