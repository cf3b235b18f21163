from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def small(smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Like ``tiny``, with heads of 64 channels: vLLM has no attention for smaller ones."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("small")
    base, adapter = folder / "base", folder / "adapter"
    config = LlamaConfig(
        vocab_size=len(smollm2), hidden_size=128, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, eos_token_id=2, pad_token_id=0, bos_token_id=1, tie_word_embeddings=True,
        max_position_embeddings=1024,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(base)
    AutoTokenizer.from_pretrained(smollm2.name_or_path).save_pretrained(base)
    tuned = get_peft_model(LlamaForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    tuned.save_pretrained(adapter)
    return base, adapter


def completions(out: Path) -> dict[tuple[str, str, int], tuple[str, str, int]]:
    """By run, prompt and repeat: text, how it ended, and its length."""
    rows = map(json.loads, (out / "samples.jsonl").read_text().splitlines())
    return {(s["run"], s["id"], s["repeat"]): (s["completion"], s["finish"], s["tokens"]) for s in rows}
