"""Read JSON and JSONL files; errors name the file and the row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.storage.user_files import text_lines

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number, from 1, and the object of each non-blank line.

    Raises:
        AltTrainError: The file cannot be read, or a line is not a JSON object.
    """
    path = Path(path)
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            value = parsed(line.rstrip())
        except ValueError as error:
            raise AltTrainError(
                f"{path}, row {number} is not valid JSON ({error}); write one object per line"
            ) from None
        if not isinstance(value, dict):
            raise AltTrainError(f"{path}, row {number} is the {shown(value)}; write one JSON object per line")
        yield number, value


def parsed(text: str) -> Any:
    """The value of a JSON text, strictly: nothing is lost in silence.

    Raises:
        ValueError: It is not JSON, repeats a key of an object, or contains half of a surrogate pair, which no file can
            hold; the message says where.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{error.msg} at {place}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _SURROGATE.search(text):
        _check_surrogates(value, "")
    return value


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} appears twice")
    return found


def _check_surrogates(value: Any, place: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_surrogates(name, "a key")
            _check_surrogates(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for inner in value:
            _check_surrogates(inner, place)
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"\\u{ord(value[error.start]):04x}"
            raise ValueError(f"{place or 'a text'} contains {half}, half of a surrogate pair") from None
