"""What the operating system says when a file cannot be written, as one sentence with a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


class WriteError(AltTrainError):
    """A file or folder cannot be written. What was there before is unchanged."""


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside the block into one sentence.

    Args:
        path: What is written.

    Raises:
        WriteError: The disk is full, or the path may not or cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            remedy = "free some space, then run the same command again"
        elif error.errno in _FORBIDDEN:
            remedy = "choose a folder that you may write to"
        elif error.errno in _IN_THE_WAY:
            remedy = "choose another name: there is a file where a folder is needed, or a folder where a file is"
        else:
            remedy = "check the disk, then run the same command again"
        raise WriteError(f"{path} cannot be written ({error.strerror or error}); {remedy}") from None
