"""Recipes pass Axolotl's own validation for the card their header names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT

CONFIGS = {
    path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "examples").rglob("*.yml"))
}
RECIPES = [path for path, config in CONFIGS.items() if "base_model" in config]  # the others configure this package
CARDS: dict[str, dict[str, Any]] = {
    "A6000": {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_86"},
    "CPU": {"bf16": False, "fp8": False, "tf32": False, "n_gpu": 0, "n_node": 1, "compute_capability": ""},
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipe_is_valid(path: Path) -> None:
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.config import AxolotlInputConfig

    from axolotl_alttrain.plugin import check_config

    text = path.read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    unknown = set(raw) - set(AxolotlInputConfig.model_fields) - {"alttrain"}
    assert not unknown, f"not a key of Axolotl: {unknown}"
    card = next(name for name in CARDS if name in text.splitlines()[0])
    check_config(raw)
    cfg = validate_config(DictDefault(raw), capabilities=CARDS[card], env_capabilities={"torch_version": "2.13.0"})
    assert cfg.plugins == ["axolotl_alttrain.AltTrainPlugin"]
    assert cfg.datasets[0].type == "alttrain"


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_header_says_how_to_use_it(path: Path) -> None:
    header = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    for word in ("Run", "Override", "Evaluate", "axolotl train"):
        assert any(word in line for line in header), word


def test_the_8b_recipe_has_the_authors_hyperparameters() -> None:
    cfg = yaml.safe_load((ROOT / "examples" / "alttrain-8b.yml").read_text(encoding="utf-8"))
    expected = {"lora_r": 16, "lora_alpha": 16, "lora_dropout": 0, "num_epochs": 15, "learning_rate": 1e-5,
                "lr_scheduler": "cosine", "warmup_steps": 5, "optimizer": "adamw_bnb_8bit", "adam_beta2": 0.95,
                "weight_decay": 1e-4, "seed": 1995, "load_in_4bit": True, "lora_target_linear": True}  # fmt: skip
    assert {name: cfg[name] for name in expected} == expected
    assert cfg["micro_batch_size"] * cfg["gradient_accumulation_steps"] == 8
