from __future__ import annotations

from typing import Any

import pytest


def recipe_cfg(**changes: Any) -> Any:
    from axolotl.utils.dict import DictDefault

    cfg: dict[str, Any] = {
        "base_model": "tiny",
        "adapter": "qlora",
        "load_in_4bit": True,
        "lora_r": 16,
        "lora_alpha": 16,
        "lora_dropout": 0.0,
        "lora_target_linear": True,
        "optimizer": "adamw_bnb_8bit",
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "sequence_len": 512,
        "seed": 7,
    }
    return DictDefault({**cfg, **changes})


@pytest.fixture(scope="session")
def llama() -> Any:
    """A small Llama's config: 3 layers of 64, 4 heads, 2 of them for keys and values."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=1000,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=False,
    )
