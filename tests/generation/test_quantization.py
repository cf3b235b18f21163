from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.generation.quantization import (
    NF4,
    TrainedBase,
    published_quantization,
    quantization_key,
    quantization_name,
    trained_base,
    trained_quantization,
)


def test_a_checkpoint_is_loaded_as_its_training_was(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run" / "checkpoint-53"
    checkpoint.mkdir(parents=True)
    assert trained_base(str(checkpoint)) == TrainedBase(False)
    (tmp_path / "run" / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": NF4}))
    assert trained_quantization(str(checkpoint)) == NF4
    (checkpoint / "config.json").write_text(json.dumps({"model_type": "llama"}))  # its own word counts more
    assert trained_base(str(checkpoint)) == TrainedBase(True)
    assert trained_quantization(None) is None


def test_other_folders_are_not_looked_for_above(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": NF4}))
    assert trained_quantization(str(adapter)) is None


def test_a_model_published_quantised_says_by_what(tmp_path: Path) -> None:
    assert published_quantization(str(tmp_path)) is None  # no config: loading says so
    config = {"model_type": "llama", "quantization_config": {"quant_method": "gptq", "bits": 4}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert published_quantization(str(tmp_path)) == "gptq"


@pytest.mark.parametrize(
    ("quantization", "name", "key"),
    [
        (None, "unquantised", ""),
        (NF4 | {"bnb_4bit_compute_dtype": "bfloat16", "llm_int8_skip_modules": None}, "NF4", ""),
        (NF4 | {"bnb_4bit_use_double_quant": False}, "NF4", '{"bnb_4bit_use_double_quant": false}'),
        (
            NF4 | {"llm_int8_skip_modules": ["lm_head", "down_proj"]},
            "NF4",
            '{"llm_int8_skip_modules": ["down_proj", "lm_head"]}',
        ),
        ({"load_in_4bit": True}, "FP4", '{"bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": false}'),
        ({"load_in_8bit": True, "llm_int8_threshold": 6.0}, "8-bit", ""),
        ({"load_in_8bit": True, "llm_int8_threshold": 0.0}, "8-bit", '{"llm_int8_threshold": 0.0}'),
    ],
)
def test_quantisations_of_one_width_have_different_keys(
    quantization: dict[str, Any] | None, name: str, key: str
) -> None:
    assert (quantization_name(quantization), quantization_key(quantization)) == (name, key)
