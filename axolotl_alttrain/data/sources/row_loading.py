"""Rows of a source: local files, and Hub datasets through ``datasets``, streamed or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, cause_of
from axolotl_alttrain.storage.builtin import resolve_dataset
from axolotl_alttrain.storage.row_files import KINDS, check_rows, is_missing, kind_of, read_rows


def load_rows(
    path: str, split: str = "train", subset: str | None = None, streaming: bool = True
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of a local file or a Hub dataset with their numbers.

    Every row has all columns. A local file is read to its end first, so a broken row is found before others are used.

    Raises:
        AltTrainError: The dataset does not exist, is not accessible or has a broken row; the message says what to do.
    """
    path = resolve_dataset(path)
    file = Path(path)
    if is_missing(path):
        raise AltTrainError(f"{path}: there is no such file; correct the path")
    if file.exists() and not file.is_dir():
        if kind_of(path) in (None, "text"):
            allowed = ", ".join(suffix for suffix, kind in KINDS.items() if kind != "text")
            raise AltTrainError(f"{path} has the suffix '{file.suffix}'; allowed: {allowed}, also with .gz")
        columns = dict.fromkeys(check_rows(file))
        for number, row in read_rows(file):
            yield number, columns | row
    else:
        yield from enumerate(_through_datasets(path, split, subset, streaming), 1)


def _through_datasets(path: str, split: str, subset: str | None, streaming: bool) -> Iterator[Mapping[str, Any]]:
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    try:
        yield from datasets.load_dataset(path, subset, split=split, streaming=streaming)
    except DatasetNotFoundError as error:
        if "gated" in str(error).lower():
            raise AltTrainError(f"{path} is gated. {_login(path)}") from None
        raise AltTrainError(_not_loaded(path, error)) from None
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise AltTrainError(f"{path}: access denied ({status}). {_login(path)}") from None
        raise AltTrainError(_not_loaded(path, error)) from None


def _login(path: str) -> str:
    return f"Accept its terms at https://huggingface.co/datasets/{path}, then log in: hf auth login"


def _not_loaded(path: str, error: Exception) -> str:
    if Path(path).is_dir():
        return f"{path}: the folder cannot be read as a dataset ({cause_of(error)}); name one of its files"
    return (
        f"{path}: cannot be loaded ({cause_of(error)}). Give the path of a local file or the ID of a Hub dataset. If "
        f"it is gated: {_login(path)}"
    )
