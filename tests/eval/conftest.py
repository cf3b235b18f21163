from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny(smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A real two-layer Llama with random weights and SmolLM2's tokenizer, and a LoRA adapter that changes it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("tiny")
    config = LlamaConfig(
        vocab_size=len(smollm2),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=1,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    base, adapter = folder / "base", folder / "adapter"
    model.save_pretrained(base)
    AutoTokenizer.from_pretrained(smollm2.name_or_path).save_pretrained(base)
    tuned = get_peft_model(LlamaForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    tuned.save_pretrained(adapter)
    return base, adapter
