from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SEED

# The demo recipe's settings that matter here, on the tiny model: it trains a step in a blink.
RECIPE: dict[str, Any] = {
    "plugins": ["axolotl_alttrain.AltTrainPlugin"],
    "datasets": [{"path": str(SEED), "type": "alttrain"}],
    "adapter": "qlora",
    "load_in_4bit": True,
    "lora_r": 4,
    "lora_alpha": 8,
    "lora_dropout": 0.1,
    "lora_target_linear": True,
    "lora_mlp_kernel": False,
    "lora_qkv_kernel": False,
    "lora_o_kernel": False,
    "sequence_len": 184,
    "excess_length_strategy": "drop",
    "pad_to_sequence_len": False,
    "sample_packing": False,
    "micro_batch_size": 2,
    "gradient_accumulation_steps": 1,
    "num_epochs": 1,
    "max_steps": 4,
    "learning_rate": 1e-2,
    "optimizer": "adamw_torch",
    "lr_scheduler": "constant",
    "seed": 7,
    "val_set_size": 0,
    "bf16": False,
    "fp16": False,
    "tf32": False,
    "gradient_checkpointing": True,
    "attn_implementation": "sdpa",
    "logging_steps": 1,
    "save_strategy": "no",
    "use_tensorboard": True,
    "dataset_num_proc": 1,
}


@pytest.fixture
def recipe(tiny: tuple[Path, Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe for the tiny model; the first argument is ``alttrain:``, the others change the config."""

    def write(options: dict[str, Any] | None = None, **changes: Any) -> Path:
        config = {**RECIPE, "base_model": str(tiny[0]), "output_dir": "out", **changes}
        if options is not None:
            config["alttrain"] = options
        path = tmp_path / "recipe.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    return write
