"""The base model's weights on disk, read one tensor at a time."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from axolotl_alttrain.errors import AltTrainError

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"


class BaseWeights:
    """Tensors of a model's safetensors files by name. A tensor is read when it is asked for, and not kept.

    Args:
        folder: A model's folder.

    Raises:
        AltTrainError: The folder holds no complete safetensors weights.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = _files_by_name(folder)
        self._stack = ExitStack()
        self._open: dict[str, Any] = {}

    @property
    def names(self) -> set[str]:
        """The names of all tensors."""
        return set(self._files)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, which is not read."""
        return tuple(self._file(name).get_slice(name).get_shape())

    def read(self, name: str) -> Any:
        """A tensor, on the CPU, in the type in which it is stored."""
        return self._file(name).get_tensor(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _file(self, name: str) -> Any:
        from safetensors import safe_open

        file = self._files[name]
        if file not in self._open:
            self._open[file] = self._stack.enter_context(safe_open(self.folder / file, framework="pt"))
        return self._open[file]


def _files_by_name(folder: Path) -> dict[str, str]:
    from safetensors import safe_open

    if (folder / INDEX).is_file():
        files = dict(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"])
        if missing := sorted(name for name in set(files.values()) if not (folder / name).is_file()):
            raise AltTrainError(f"{folder}: {missing[0]} is missing; download the base model again")
        return files
    if not (folder / WHOLE).is_file():
        raise AltTrainError(
            f"{folder} has no {WHOLE} and no {INDEX}; save the base model with save_pretrained, which writes them"
        )
    with safe_open(folder / WHOLE, framework="pt") as tensors:
        return dict.fromkeys(tensors.keys(), WHOLE)
