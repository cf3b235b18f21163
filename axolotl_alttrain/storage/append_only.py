"""A JSONL file that is only appended to: it survives being cut off at any byte, and only one process writes to it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.storage.locks import locked
from axolotl_alttrain.storage.write_errors import write_errors

SYNC_SECONDS = 1.0  # lines are forced to the disk at most this often: 100,000 lines would otherwise take minutes


class AppendOnly:
    """Reads the lines of a file, repairs its end, and appends.

    A last line without its line feed is what a killed process leaves; it is cut off.

    Args:
        path: The file. It and its folder are created if need be.
        read_only: Only read: nothing is created, repaired or locked.

    Attributes:
        durable: Whether lines are forced to the disk, once a second and at the end. Without it, a line survives the
            process but not a power cut.

    Raises:
        AltTrainError: A complete line is broken, another process writes to the file, or it cannot be written.
    """

    durable = True

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self._file: FileIO | None = None
        self._synced = 0.0
        if not read_only:
            with write_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = FileIO(path, "ab")  # unbuffered: what cannot be written must not be tried again later
        try:
            if self._file and not locked(self._file.fileno()):
                raise AltTrainError(
                    f"{path}: another process is writing to this file; wait for it to finish, or choose another "
                    "output folder"
                )
            self._read_all()
        except BaseException:
            self.close()
            raise

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line of the file, which begins at byte ``offset``."""

    def write(self, row: dict[str, Any]) -> int:
        """Append one line, or nothing if it cannot be written whole.

        Returns:
            The byte at which it begins.

        Raises:
            AltTrainError: The disk is full.
            ValueError: The file was opened for reading.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is open for reading only")
        offset = self._file.seek(0, os.SEEK_END)
        left = memoryview(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
        with write_errors(self.path):
            try:
                while left:
                    left = left[self._file.write(left) or 0 :]
            except BaseException:  # also an interruption between two parts of a line
                with suppress(OSError):
                    self._file.truncate(offset)
                raise
            if self.durable and time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
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
            file, self._file = self._file, None
            with file, write_errors(self.path):
                if self.durable:
                    os.fsync(file.fileno())

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
                    f"{shown(line.decode('utf-8', 'replace').rstrip())}); delete the line; its content is "
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
