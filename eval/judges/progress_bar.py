"""Progress of judging: a bar in a terminal, an occasional line in a log file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")
EVERY = 50  # judgements between two lines in a log file


def shown_progress(judged: Iterable[T], name: str, total: int, console: Console) -> Iterator[T]:
    """Pass on judgements as they arrive and show how many of ``total`` are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(name, total=total)
        for done, one in enumerate(judged, 1):
            yield one
            progress.update(bar, advance=1)
            if not console.is_terminal and (done % EVERY == 0 or done == total):
                console.print(f"{name}: {done} of {total} judgements")
