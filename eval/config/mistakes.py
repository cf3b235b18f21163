"""Pydantic's errors, each in one plain line that names the flag."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from axolotl_alttrain.errors import in_one, shown

_LIMITS = {
    "greater_than": ("gt", "must be greater than {:g}"),
    "greater_than_equal": ("ge", "must be {:g} or more"),
    "less_than_equal": ("le", "must be {:g} or less"),
}
_TYPES = {"int": "must be an integer", "float": "must be a number", "bool": "must be true or false"}


def explained(error: ValidationError, written: Mapping[str, str]) -> str:
    """All mistakes, one line for each flag.

    Args:
        error: What pydantic found.
        written: By field name, how the user wrote it: a flag, or a file and its field. A flag by default.
    """
    first: dict[tuple[int | str, ...], ErrorDetails] = {}
    for fault in error.errors():
        first.setdefault(fault["loc"][:2], fault)  # of a field with several types, pydantic names a fault for each
    return in_one([_sentence(fault, written) for fault in first.values()])


def _sentence(fault: ErrorDetails, written: Mapping[str, str]) -> str:
    kind, found = fault["type"], fault["input"]
    if not str(found).isprintable():
        found = shown(found)
    if kind == "value_error":  # our own validators; their messages name the flag
        return _in_its_file(str(fault["ctx"]["error"]), written)
    name = next((part for part in reversed(fault["loc"]) if isinstance(part, str)), "config")
    where = written.get(name) or f"--{name.replace('_', '-')}"
    if kind == "extra_forbidden":
        return f"{where}: no such flag"
    if kind == "literal_error":
        return f"{where}: found {found}; allowed: {fault['ctx']['expected'].replace(chr(39), '')}"
    if kind in _LIMITS:
        limit, text = _LIMITS[kind]
        return f"{where}: {text.format(fault['ctx'][limit])}, found {found}"
    expected = _TYPES.get(kind.partition("_")[0])
    return f"{where}: {expected}, found {found}" if expected else f"{where}: {fault['msg']}, found {found}"


def _in_its_file(message: str, written: Mapping[str, str]) -> str:
    """The message with the file and the field, where the flag that it begins with is from a file."""
    flag, separator, rest = message.partition(": ")
    where = written.get(flag.removeprefix("--").replace("-", "_"))
    return f"{where}{separator}{rest}" if where and flag.startswith("--") else message
