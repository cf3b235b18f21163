"""A JSONL file that is only ever appended to, and survives being cut off at any byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown


class AppendOnly:
    """Reads what is there, drops a last line that a killed process left without its end, and appends.

    Args:
        path: The file; made with its folder if it is not there.

    Raises:
        AltTrainError: A whole line of it is broken.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        if path.exists():
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < len(content):
                with path.open("r+b") as file:
                    file.truncate(len(whole))
            # Not splitlines: texts may hold other line ends.
            for number, line in enumerate(whole.split(b"\n")[:-1], 1):
                try:
                    self.read(json.loads(line))
                except (ValueError, TypeError, KeyError) as error:  # no UTF-8, no JSON, or other fields
                    raise AltTrainError(
                        f"{path}, line {number} is damaged ({type(error).__name__}: {error} in "
                        f"{shown(line.decode('utf-8', 'replace'))}); delete the line, and what it held is made again"
                    ) from None
        self._file = path.open("a", encoding="utf-8")

    def read(self, row: dict[str, Any]) -> None:
        """Take in one line of the file."""

    def write(self, row: dict[str, Any]) -> None:
        """Write one line through to the disk."""
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
