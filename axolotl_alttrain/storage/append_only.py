"""A JSONL file that is only appended to: it survives being cut off at any byte, and only one process writes to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from axolotl_alttrain.errors import AltTrainError, shown

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


class AppendOnly:
    """Reads the lines of a file, repairs its end, and appends.

    A last line without its line feed is what a killed process leaves; it is cut off. The lock is the operating
    system's and ends with the process, however it ends.

    Args:
        path: The file. It and its folder are created if need be.
        read_only: Only read: nothing is created, repaired or locked.

    Attributes:
        durable: Whether every line is forced to the disk. Without it, a line survives the process but not a power cut.

    Raises:
        AltTrainError: A complete line is broken, or another process writes to the file.
    """

    durable = True

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        try:
            if self._file:
                _lock(self._file, path)
            self._read_all()
        except BaseException:
            self.close()
            raise

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line of the file, which begins at byte ``offset``."""

    def write(self, row: dict[str, Any]) -> int:
        """Append one line.

        Returns:
            The byte at which it begins.

        Raises:
            ValueError: The file was opened for reading.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is open for reading only")
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
        self._file.flush()
        if self.durable:
            os.fsync(self._file.fileno())
        return offset

    def line_at(self, offset: int) -> dict[str, Any]:
        """The line that begins at byte ``offset``."""
        with self.path.open("rb") as file:
            file.seek(offset)
            row: dict[str, Any] = json.loads(file.readline())
        return row

    def close(self) -> None:
        """Close the file and give up its lock."""
        if self._file:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_all(self) -> None:
        for number, (offset, line) in enumerate(_lines(self.path), 1):
            if not line.endswith(b"\n"):
                if self._file:
                    self._file.truncate(offset)
                return
            try:
                self.read(json.loads(line), offset)
            except (ValueError, TypeError, KeyError) as error:  # not UTF-8, not JSON, or other fields
                raise AltTrainError(
                    f"{self.path}, line {number} is damaged ({type(error).__name__}: {error} in "
                    f"{shown(line.decode('utf-8', 'replace').rstrip())}); delete the line, and what it held is "
                    "requested again"
                ) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with the bytes at which they begin. Only line feeds end them: texts may hold other line breaks."""
    if not path.is_file():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield offset, line
            offset += len(line)


def _lock(file: BinaryIO, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AltTrainError(
            f"{path}: another process is writing to this file; wait for it to finish, or choose another output folder"
        ) from None
    except OSError:  # some network file systems have no locks
        return
