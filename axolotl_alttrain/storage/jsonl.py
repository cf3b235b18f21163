"""Read JSONL files; errors name the file and the row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown


def read_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number, from 1, and the object of each non-blank line.

    Raises:
        AltTrainError: The file cannot be read, or a line is not a JSON object.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except json.JSONDecodeError as error:
                    raise AltTrainError(
                        f"{path}, row {number} is not valid JSON ({error}); write one object per line"
                    ) from None
                if not isinstance(value, dict):
                    raise AltTrainError(f"{path}, row {number} is the {shown(value)}; write one JSON object per line")
                yield number, value
    except (OSError, UnicodeDecodeError) as error:
        raise AltTrainError(f"{path} cannot be read as UTF-8 text ({error}); check the path and the encoding") from None
