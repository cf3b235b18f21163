from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain.data.build_config import load_config
from axolotl_alttrain.errors import AltTrainError
from tests.conftest import ROOT

SOURCE: dict[str, Any] = {"preset": "star1"}


def test_the_example_has_the_papers_numbers() -> None:
    config = load_config(ROOT / "examples" / "build-alttrain-1k.yml")
    assert [source.preset for source in config.sources] == ["safechain"]
    assert (config.harmful, config.benign, config.seed, config.assessor.kind) == (900, 100, 1995, "openai_compatible")
    assert [variant.name for variant in config.variants] == [
        "without-pu", "without-ha", "without-cr", "cr-rephrased", "alttrain-0.5k"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "'sources' is missing;"),
        ({"sources": [SOURCE], "harmfull": 3}, "'harmfull' is no key of a build;"),
        ({"sources": [{"path": "x.jsonl"}]}, "a source without 'preset' needs 'path' and 'columns'"),
        (
            {"sources": [{"path": "x", "columns": {"thought": "t"}}]},
            "give either 'response', or 'thought'",
        ),
        ({"sources": [SOURCE, SOURCE]}, "two sources have the same name"),
        ({"sources": [SOURCE], "max_tokens": 100}, "'max_tokens' needs a 'tokenizer'"),
        ({"sources": [SOURCE], "refusals": "assessor"}, "the offline assessor writes no refusals"),
        ({"sources": [SOURCE], "assessor": {"kind": "oracle"}}, "'assessor'"),
        ({"sources": [SOURCE], "variants": [{"name": "a", "omit": ["answer"]}]}, "'variants.0.omit.0'"),
        ([1], "the file holds list [1] instead of keys; write 'sources'"),
    ],
)
def test_what_is_not_allowed_is_named(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "build.yml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(AltTrainError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
