"""A dataset built from published traces, rendered and trained by the demo's recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.template import learn_format

from ..conftest import ROOT
from ..test_end_to_end import command

pytestmark = pytest.mark.slow
ABLATIONS = [{"name": "without-ha", "omit": ["harmfulness_assessment"]}]


def test_star1_is_built_rendered_and_trained(tmp_path: Path, star1: Path, demo_model: Path, smollm2: Any) -> None:
    sources = [{"preset": "star1", "path": str(star1)}, {"preset": "alttrain-seed", "take": ["benign"]}]
    settings = {"name": "star1", "sources": sources, "harmful": "all", "benign": 111, "assessor": {"kind": "offline"},
                "tokenizer": "alttrain-demo-model", "max_tokens": 1024, "variants": ABLATIONS,
                "near_duplicates": None, "overlap": False}  # fmt: skip
    (tmp_path / "build.yml").write_text(yaml.safe_dump(settings))
    shown = command(["axolotl", "alttrain", "build", "build.yml", "--out", "data"], tmp_path)
    assert "star1: 1111 rows" in shown
    examples = read_examples(tmp_path / "data" / "data.jsonl")
    chat = learn_format(smollm2)
    lengths = [len(ids) for ids in chat.encode(["".join(chat.render(example)) for example in examples])]
    assert len(lengths) == 1111
    assert max(lengths) <= 1024
    recipe = yaml.safe_load((ROOT / "examples" / "smollm2-135m-cpu.yml").read_text())
    made = ("data/data.jsonl", "data/variants/without-ha.jsonl")
    recipe["datasets"] = [{"path": path, "type": "alttrain"} for path in made]
    (tmp_path / "train.yml").write_text(yaml.safe_dump(recipe))
    command(["axolotl", "train", "train.yml", "--max-steps", "2", "--output-dir", "out"], tmp_path)
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
