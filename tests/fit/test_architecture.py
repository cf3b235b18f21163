from __future__ import annotations

import json
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.fit.architecture import measure, read_architecture, shipped_config

from .conftest import recipe_cfg

# Sizes that the models' cards and safetensors indices give.
PARAMETERS = {
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": 1_777_088_000,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": 7_615_616_512,
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": 8_030_261_248,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B": 14_770_033_664,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": 32_763_876_352,
    "Qwen/Qwen3-8B": 8_190_735_360,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_shipped_backbones_have_their_published_size(name: str) -> None:
    folder = shipped_config(name)
    assert folder is not None
    cfg = recipe_cfg(base_model=name, base_model_config=str(folder), adapter=None, load_in_4bit=False)
    assert measure(read_architecture(cfg), cfg).parameters == PARAMETERS[name]


def test_counts_equal_a_real_model_with_a_real_adapter(llama: Any) -> None:
    from peft import LoraConfig, get_peft_model
    from torch import nn
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM(llama)
    every = sum(p.numel() for p in model.parameters())
    linear = sorted(
        m.weight.numel() for n, m in model.named_modules() if isinstance(m, nn.Linear) and n.startswith("model.layers")
    )
    tuned = get_peft_model(model, LoraConfig(r=16, target_modules="all-linear"))
    sizes = measure(llama, recipe_cfg())
    assert sizes.parameters == every
    assert sorted(sizes.linear) == linear
    assert sorted(sizes.trained) == sorted(p.numel() for p in tuned.parameters() if p.requires_grad)
    assert (sizes.layers, sizes.hidden, sizes.vocabulary, sizes.widest, sizes.attention) == (3, 64, 1000, 160, 64)


def test_a_shipped_config_holds_numbers_alone() -> None:
    folder = shipped_config("deepseek-ai/DeepSeek-R1-Distill-Llama-8B")
    assert folder is not None
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"
    assert shipped_config("nobody/such-a-model") is None


def test_an_unknown_model_is_an_error_in_one_line() -> None:
    cfg = recipe_cfg(base_model="nobody/such-a-model")
    with pytest.raises(AltTrainError, match="its config cannot be read"):
        read_architecture(cfg)
