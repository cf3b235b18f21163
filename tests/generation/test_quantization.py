from __future__ import annotations

import json
from pathlib import Path

from axolotl_alttrain.generation.quantization import NF4, choose_quantization, trained_quantization


def test_a_checkpoint_is_loaded_as_its_training_was(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run" / "checkpoint-53"
    checkpoint.mkdir(parents=True)
    assert trained_quantization(str(checkpoint)) is None  # nothing is known
    (tmp_path / "run" / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": NF4}))
    assert trained_quantization(str(checkpoint)) == NF4
    assert choose_quantization(None, str(checkpoint)) == NF4
    assert choose_quantization(False, str(checkpoint)) is None
    (checkpoint / "config.json").write_text(json.dumps({"model_type": "llama"}))  # its own word counts more
    assert trained_quantization(str(checkpoint)) is None


def test_other_folders_are_not_looked_for_above(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": NF4}))
    assert trained_quantization(str(adapter)) is None
