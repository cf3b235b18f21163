"""CSV files with every value as the text that the file has.

pandas, through which ``datasets`` reads CSV, takes "NULL", "NA" and "None" for missing values and "42" for a number.
Axolotl offers no way to pass options to ``load_dataset``, but takes the name of a format from ``ds_type``. So the
format is registered under a name of its own, next to ``csv``; other entries keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from datasets import packaged_modules
from datasets.builder import Key
from datasets.packaged_modules.csv.csv import Csv

from axolotl_alttrain.storage.row_files import kind_of

_NAME = "alttrain_csv"


class TextCsv(Csv):
    """The CSV format of ``datasets`` with every value as a text; an empty cell is missing."""

    def _generate_tables(self, base_files: Any, files_iterables: Sequence[Any]) -> Iterator[tuple[Key, pa.Table]]:
        options = {**self.config.pd_read_csv_kwargs, "dtype": str, "keep_default_na": False, "na_values": [""]}
        for shard, files in enumerate(files_iterables):
            for file in files:
                for batch, frame in enumerate(pd.read_csv(file, iterator=True, **options)):
                    schema = pa.schema([(name, pa.string()) for name in frame.columns])
                    yield Key(shard, batch), pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def text_csv() -> str:
    """The name under which ``datasets.load_dataset`` knows the format."""
    packaged_modules._PACKAGED_DATASETS_MODULES[_NAME] = (__name__, "1")
    return _NAME


def read_csv_as_text(entry: MutableMapping[str, Any]) -> None:
    """Make a ``datasets:`` entry that Axolotl would load as CSV load as text, and see suffixes in upper case too."""
    files = entry.get("data_files") or []
    names = [str(name) for name in ([files] if isinstance(files, str) else files)] or [str(entry.get("path"))]
    kinds = {kind_of(name) for name in names}
    given = entry.get("ds_type")
    if given == "csv" or (not given and kinds == {"csv"}):
        entry["ds_type"] = text_csv()
    elif not given and kinds == {"parquet"}:
        entry["ds_type"] = "parquet"
