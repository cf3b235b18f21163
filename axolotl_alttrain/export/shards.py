"""Write safetensors files whose tensors come one after the other, so that no file has to fit into memory."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export.base_weights import INDEX, WHOLE

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
# Names of types in a safetensors header, https://github.com/huggingface/safetensors ("Format"), and their bytes.
_TYPES = {
    "float32": ("F32", 4),
    "bfloat16": ("BF16", 2),
    "float16": ("F16", 2),
    "int64": ("I64", 8),
    "int32": ("I32", 4),
    "uint8": ("U8", 1),
    "bool": ("BOOL", 1),
}


@dataclass(frozen=True)
class Planned:
    """A tensor to be written.

    Attributes:
        name: Its name.
        shape: Its shape.
        dtype: Its type, such as ``bfloat16``.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        size = _TYPES[self.dtype][1]
        for length in self.shape:
            size *= length
        return size


def parse_size(text: str) -> int:
    """Bytes of a size such as ``5GB`` or ``200MB``.

    Raises:
        AltTrainError: It is no size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(KB|MB|GB|)\s*", text.upper())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if not size:
        raise AltTrainError(f"--max-shard-size: {text!r} is not a size; write a number with KB, MB or GB, such as 5GB")
    return size


def split(tensors: Sequence[Planned], largest: int) -> list[list[Planned]]:
    """Divide tensors into files of at most ``largest`` bytes; a larger tensor has a file of its own."""
    files: list[list[Planned]] = []
    size = 0
    for tensor in tensors:
        if not files or size + tensor.bytes > largest:
            files.append([])
            size = 0
        files[-1].append(tensor)
        size += tensor.bytes
    return files


class ShardWriter:
    """Writes tensors in the order in which they were planned, and the index if there are several files.

    Args:
        folder: An existing folder.
        tensors: All tensors, in the order in which :meth:`write` gets them.
        largest: Bytes of the largest file.
    """

    def __init__(self, folder: Path, tensors: Sequence[Planned], largest: int) -> None:
        self.folder = folder
        files = split(tensors, largest)
        names = [f"model-{number:05}-of-{len(files):05}.safetensors" for number in range(1, len(files) + 1)]
        self._shards = dict(zip(names if len(files) > 1 else [WHOLE], files, strict=True))
        self._expected = [(file, tensor) for file, shard in self._shards.items() for tensor in shard]
        self._done = 0
        self._file: BinaryIO | None = None
        self._name = ""

    def write(self, name: str, tensor: Any) -> None:
        """Write the next tensor.

        Args:
            name: Its name, as planned.
            tensor: On the CPU, of the shape and type that were planned.

        Raises:
            ValueError: Another tensor was planned here.
        """
        import torch

        file, planned = self._expected[self._done]
        if (name, tuple(tensor.shape), str(tensor.dtype)) != (planned.name, planned.shape, f"torch.{planned.dtype}"):
            raise ValueError(f"{name} comes where {planned} was planned")
        if file != self._name:
            self._begin(file)
        assert self._file is not None
        self._file.write(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().data)
        self._done += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
        if kind is None and self._done != len(self._expected):
            raise ValueError(f"{self._expected[self._done][1].name} was planned and not written")
        if kind is None and len(self._shards) > 1:
            self._write_index()

    def _begin(self, file: str) -> None:
        if self._file:
            self._file.close()
        self._file, self._name = (self.folder / file).open("wb"), file
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        end = 0
        for tensor in self._shards[file]:
            start, end = end, end + tensor.bytes
            header[tensor.name] = {
                "dtype": _TYPES[tensor.dtype][0],
                "shape": list(tensor.shape),
                "data_offsets": [start, end],
            }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self._file.write(len(text).to_bytes(8, "little") + text)

    def _write_index(self) -> None:
        total = sum(tensor.bytes for _, tensor in self._expected)
        index = {
            "metadata": {"total_size": total},
            "weight_map": {tensor.name: file for file, tensor in self._expected},
        }
        (self.folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
