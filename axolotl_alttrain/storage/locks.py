"""Locks between processes; they are the operating system's and end with the process, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.write_errors import write_errors

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


def locked(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed.

    Returns:
        Whether it is this process's; False if another process holds it. True where there are no locks.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return True
    return True


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes to a folder until the block ends; it is created if need be.

    Raises:
        AltTrainError: Another process writes to it, or it cannot be created.
    """
    new = not folder.exists()
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:  # Windows opens no folders either
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not locked(descriptor):
            raise AltTrainError(
                f"{folder}: another process is writing to this folder; wait for it to finish, or choose another folder"
            )
        yield
    finally:
        os.close(descriptor)
        if new:
            with suppress(OSError):  # it stays unless it is empty
                folder.rmdir()
