"""Progress of judging: a bar in a terminal, a line every 20 seconds in a log file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from axolotl_alttrain.progress import spoken

T = TypeVar("T")


def shown_progress(judged: Iterable[T], name: str, total: int, console: Console) -> Iterator[T]:
    """Pass on judgements as they arrive and show how many of ``total`` are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        bar, done = progress.add_task(name, total=total), 0

        def line() -> str:
            return f"{name}: {done} of {total} judgements"

        with spoken(console, line):
            for one in judged:
                yield one
                progress.update(bar, advance=1)
                done += 1
        if not console.is_terminal:
            console.print(line())
