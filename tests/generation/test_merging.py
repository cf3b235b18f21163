"""An adapter as small as a trained one: its differences are about a hundredth of a bfloat16 step of the weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from axolotl_alttrain.eval.backends.hf import HFBackend
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

IDS = torch.tensor([[1, 15, 300, 7, 2100, 42, 9, 77]])


@pytest.fixture(scope="module")
def small_adapter(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(tiny[0], dtype=torch.bfloat16),
        LoraConfig(r=4, target_modules="all-linear"),
    )
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data.normal_(0, 5e-2 if "lora_A" in name else 1e-3)
    folder = tmp_path_factory.mktemp("small") / "adapter"
    model.save_pretrained(folder)
    return folder


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS).logits.float()


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_tuned_is_the_adapter_and_base_stays_the_base(tiny: tuple[Path, Path], small_adapter: Path, dtype: str) -> None:
    plain = AutoModelForCausalLM.from_pretrained(tiny[0], dtype=getattr(torch, dtype)).eval()
    base = logits(plain)
    apart = logits(PeftModel.from_pretrained(plain, small_adapter).eval())
    assert not torch.equal(apart, base)
    backend = HFBackend(str(tiny[0]), str(small_adapter), dtype=dtype)
    for _ in range(3):
        with backend.adapter(True):
            tuned = logits(backend.model)
        if dtype == "bfloat16":  # merged, the effect would be another one
            assert torch.equal(tuned, apart)
        torch.testing.assert_close(tuned, apart, rtol=1e-5, atol=1e-6)
        with backend.adapter(False):
            assert torch.equal(logits(backend.model), base)
    assert backend.model.training is False


def test_float32_is_merged_for_speed(tiny: tuple[Path, Path], small_adapter: Path) -> None:
    backend = HFBackend(str(tiny[0]), str(small_adapter), dtype="float32")
    layer = backend.model.base_model.model.model.layers[0].self_attn.q_proj
    before = layer.base_layer.weight.clone()
    with backend.adapter(True):
        assert layer.merged
        assert not torch.equal(layer.base_layer.weight, before)
    assert not layer.merged
    assert torch.equal(layer.base_layer.weight, before)


def test_weights_that_two_modules_share_are_not_merged(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny[0], dtype=torch.float32)  # its embeddings are its output, too
    with_head = get_peft_model(model, LoraConfig(r=2, target_modules=["lm_head"], init_lora_weights=False)).eval()
    expected = logits(with_head)
    with_head.save_pretrained(tmp_path, save_embedding_layers=False)
    backend = HFBackend(str(tiny[0]), str(tmp_path), dtype="float32")
    with backend.adapter(True):
        torch.testing.assert_close(logits(backend.model), expected, rtol=1e-5, atol=1e-6)
