"""Read and write files: YAML with its mistakes named, and nothing that anybody could see half of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import yaml

from axolotl_alttrain.errors import AltTrainError, shown


def read_mapping(path: Path, allowed: str) -> dict[Any, Any]:
    """The keys and values of a YAML file.

    Args:
        path: The file.
        allowed: What its keys may be, for the message.

    Raises:
        AltTrainError: It cannot be read, is no YAML, or holds no keys.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AltTrainError(f"{path}: not readable as YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise AltTrainError(f"{path}: found {shown(content)}; allowed: {allowed}")
    return content


def write_whole(path: Path, text: str) -> None:
    """Write a text beside its place and rename it; its folder is made if need be."""
    with open_whole(path) as file:
        file.write(text)


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """A text file to be written piece by piece, which takes its place only once all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            yield file
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
