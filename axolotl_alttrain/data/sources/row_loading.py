"""Rows of a source by `datasets`, streamed where asked: hub sets and local files take the same way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.builtin import resolve_dataset
from axolotl_alttrain.errors import AltTrainError

_FORMATS = {".json": "json", ".jsonl": "json", ".parquet": "parquet", ".csv": "csv"}


def load_rows(path: str, split: str = "train", subset: str | None = None, streaming: bool = True) -> Iterator[Any]:
    """Yield the rows of a hub data set or of a local file (json, jsonl, parquet, csv).

    Raises:
        AltTrainError: There is no such set, or the account may not read it; the message says what to do.
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
            rows = datasets.load_dataset(kind, data_files=path, split="train", streaming=streaming)
        else:
            rows = datasets.load_dataset(path, subset, split=split, streaming=streaming)
        yield from rows
    except DatasetNotFoundError as error:
        if "gated" in str(error).lower():
            raise AltTrainError(
                f"{path} is gated. Accept its terms on https://huggingface.co/datasets/{path} with your "
                "account, then log in here with: hf auth login"
            ) from None
        raise AltTrainError(_not_there(path, error)) from None
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise AltTrainError(
                f"{path}: access denied ({status}). Accept the terms on https://huggingface.co/datasets/{path} with "
                "your account, then log in here with: hf auth login"
            ) from None
        raise AltTrainError(_not_there(path, error)) from None


def _not_there(path: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"{path}: cannot be loaded ({type(error).__name__}: {reason}). Give the path of a local file, or the id "
        f"of a set on the hub; where its page (https://huggingface.co/datasets/{path}) asks for terms to be accepted, "
        "accept them and log in with: hf auth login"
    )
