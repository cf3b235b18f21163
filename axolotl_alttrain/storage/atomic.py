"""Write files completely or not at all: to a temporary file in the same folder, then a rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TextIO

from axolotl_alttrain.storage.locks import locked
from axolotl_alttrain.storage.write_errors import FULL, write_errors

_WAITING: list[dict[Path, Path]] = []  # temporary files by the file that they will replace, of each open block


def write_atomic(path: Path, text: str) -> None:
    """Write a text to a temporary file and rename it; its folder is created if needed.

    Raises:
        AltTrainError: The disk is full, or the file may not be written.
    """
    with open_atomic(path) as file:
        file.write(text)


@contextmanager
def open_atomic(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing; it replaces the file of its name only if nothing fails.

    The temporary file is ``.NAME.PID``. One that a killed process left is removed.

    Raises:
        AltTrainError: The disk is full, or the file may not be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(path)
            file = scratch.open("w", encoding="utf-8")
        locked(file.fileno())
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in FULL:  # not from writing to this file
                raise
            with write_errors(path):
                raise
        if _WAITING:
            _WAITING[-1][path] = scratch
        else:
            with write_errors(path):
                scratch.replace(path)
    except BaseException:
        with suppress(OSError):
            scratch.unlink()
        raise


@contextmanager
def together() -> Iterator[None]:
    """Let files that are written inside the block replace earlier ones at its end, one right after the other.

    If the block fails or is interrupted, none is replaced, so two versions do not mix.

    Raises:
        AltTrainError: A file cannot be replaced.
    """
    written: dict[Path, Path] = {}
    _WAITING.append(written)
    try:
        yield
        for path, scratch in written.items():
            with write_errors(path):
                scratch.replace(path)
    finally:
        _WAITING.pop()
        for scratch in written.values():
            with suppress(OSError):  # most have their name by now
                scratch.unlink()


def _remove_abandoned(path: Path) -> None:
    """Remove temporary files of processes that ended while they wrote; a living writer holds its file's lock."""
    if os.name != "posix":  # there, signal 0 ends a process
        return
    for scratch in path.parent.glob(f".{escape(path.name)}.*"):
        if not scratch.suffix[1:].isdigit() or _lives(int(scratch.suffix[1:])):
            continue
        with suppress(OSError), scratch.open("rb") as file:
            if locked(file.fileno()):
                scratch.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
