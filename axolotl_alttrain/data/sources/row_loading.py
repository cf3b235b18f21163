"""Rows of a source, loaded by ``datasets``: Hub datasets and local files, streamed or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.sources.csv_as_text import text_csv
from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.storage.builtin import resolve_dataset

_FORMATS = {".json": "json", ".jsonl": "json", ".parquet": "parquet", ".csv": "csv"}


def load_rows(
    path: str, split: str = "train", subset: str | None = None, streaming: bool = True
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a Hub dataset or a local file (JSON, JSONL, Parquet, CSV).

    Raises:
        AltTrainError: The dataset does not exist or is not accessible; the message says what to do.
    """
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    path = resolve_dataset(path)
    local = Path(path).is_file()
    if local and Path(path).suffix not in _FORMATS:
        raise AltTrainError(f"{path} has the suffix '{Path(path).suffix}'; allowed: {', '.join(_FORMATS)}")
    try:
        if local:
            kind = _FORMATS[Path(path).suffix]
            kind = text_csv() if kind == "csv" else kind
            rows = datasets.load_dataset(kind, data_files=path, split="train", streaming=streaming)
        else:
            rows = datasets.load_dataset(path, subset, split=split, streaming=streaming)
        yield from rows
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
    return (
        f"{path}: cannot be loaded ({type(error).__name__}: {first_line(error)}). Give the path of a local file or "
        f"the ID of a Hub dataset. If it is gated: {_login(path)}"
    )
