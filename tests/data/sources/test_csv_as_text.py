from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

from axolotl_alttrain.data.sources.csv_as_text import read_csv_as_text


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"path": "rows.csv"}, "alttrain_csv"),
        ({"path": "rows", "ds_type": "csv"}, "alttrain_csv"),
        ({"path": "folder", "data_files": ["a.csv", "b.csv"]}, "alttrain_csv"),
        ({"path": "rows.jsonl"}, None),
        ({"path": "rows.csv", "ds_type": "text"}, "text"),
    ],
)
def test_entries_that_are_loaded_as_csv_get_the_format(entry: dict[str, Any], kind: str | None) -> None:
    read_csv_as_text(entry)
    assert entry.get("ds_type") == kind


def test_axolotl_loads_every_value_as_the_text_of_the_file(tmp_path: Path) -> None:
    from axolotl.utils.data.shared import load_dataset_with_config
    from axolotl.utils.dict import DictDefault

    path = tmp_path / "rows.csv"
    path.write_text('a,b,c\nNULL,007,\n"x, ""y""\nz",1.50,\nNone,true,\n', encoding="utf-8")
    entry = DictDefault(path=str(path))
    read_csv_as_text(entry)
    rows = load_dataset_with_config(entry, use_auth_token=False)
    assert rows[:] == {
        "a": ["NULL", 'x, "y"\nz', "None"],
        "b": ["007", "1.50", "true"],
        "c": [None, None, None],
    }
    plain = load_dataset("csv", data_files=str(path), split="train")  # other entries are read as before
    assert plain["a"][0] is None
