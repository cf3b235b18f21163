from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained.training_rows import trained_datasets, trained_rows

CARD = """---
library_name: peft
---
```yaml
base_model: x
datasets:
  - path: {}
    type: alttrain
  - path: others.jsonl
    type: alttrain.reasoning
```
"""


def test_the_rows_that_the_adapters_card_names(tmp_path: Path, row: dict[str, Any]) -> None:
    data = tmp_path / "own.jsonl"
    data.write_text(json.dumps(row) + "\n")
    (tmp_path / "README.md").write_text(CARD.format(data))
    assert trained_datasets(str(tmp_path)) == [str(data)]
    rows, source = trained_rows(str(tmp_path))
    assert ([one.harmfulness_assessment for one in rows], source) == ([row["harmfulness_assessment"]], "own.jsonl")


@pytest.mark.parametrize("card", [None, "no config", "```yaml\n: [\n```\n", "```yaml\ndatasets: none\n```\n"])
def test_the_seed_data_where_the_card_names_none(tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    rows, source = trained_rows(str(tmp_path))
    assert (len(rows), source) == (3148, "alttrain-seed")
    assert trained_rows(None)[1] == "alttrain-seed"


def test_datasets_that_are_not_here_are_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD.format("moved.jsonl"))
    assert trained_rows(str(tmp_path))[1] == "alttrain-seed (moved.jsonl of the adapter's config cannot be read here)"


def test_a_file_that_the_user_names_has_to_be_readable(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match=r"rows\.jsonl cannot be read"):
        trained_rows(None, tmp_path / "rows.jsonl")
