"""Write files completely or not at all: to a temporary file in the same folder, then a rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def write_atomic(path: Path, text: str) -> None:
    """Write a text to a temporary file and rename it; its folder is created if needed."""
    with open_atomic(path) as file:
        file.write(text)


@contextmanager
def open_atomic(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing; it replaces the file of its name only if nothing fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            yield file
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
