"""Open the files that users write: regular files only, plain or gzipped, UTF-8 with or without a byte order mark."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from axolotl_alttrain.errors import AltTrainError, one_line

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_8 = "save the file as UTF-8 text"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if its name ends with ``.gz``.

    Raises:
        AltTrainError: It is missing, unreadable, not a regular file, or a damaged archive.
    """
    # A pipe or a device would be waited for.
    if path.exists() and not path.is_file():
        raise AltTrainError(f"{path} cannot be read (it is not a regular file); check the path")
    try:
        with path.open("rb") as plain:
            if path.suffix.lower() == ".gz":
                with gzip.GzipFile(fileobj=plain) as unpacked:
                    yield cast(BinaryIO, io.BufferedReader(unpacked))
            else:
                yield plain
    except (OSError, EOFError, zlib.error) as error:  # the last two: a cut or damaged archive
        raise AltTrainError(f"{path} cannot be read ({one_line(error)}); check the path and the file") from None


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers, from 1. Only line feeds end a line; they are kept.

    Raises:
        AltTrainError: The file cannot be read, or is not UTF-8 text; the message names the line.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if number == 1:
                if line.startswith(_UTF_16):
                    raise AltTrainError(f"{path} cannot be read as UTF-8 text (it is UTF-16); {_UTF_8}")
                line = line.removeprefix(codecs.BOM_UTF8)
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                fault = f"byte {error.start + 1} of row {number}: {error.reason}"
                raise AltTrainError(f"{path} cannot be read as UTF-8 text ({fault}); {_UTF_8}") from None
            if "\0" in text:
                raise AltTrainError(
                    f"{path}, row {number} contains a NUL character, as in a binary file or UTF-16; {_UTF_8}"
                )
            yield number, text


def whole_text(path: Path) -> str:
    """The text of a file.

    Raises:
        AltTrainError: As :func:`text_lines`.
    """
    return "".join(line for _, line in text_lines(path))
