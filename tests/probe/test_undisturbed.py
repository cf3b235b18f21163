from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from axolotl_alttrain.probe.undisturbed import undisturbed


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(1))


@pytest.mark.parametrize("fails", [False, True])
def test_random_states_and_modes_are_as_before(fails: bool) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5)).train()
    model[0].eval()  # a frozen part that its trainer keeps in evaluation mode
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    expected = draws()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    try:
        with undisturbed(model):
            assert [module.training for module in model.modules()] == [False, False, False]
            assert not model(torch.ones(1, 2)).requires_grad
            draws()
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert [module.training for module in model.modules()] == [True, False, True]
    assert draws() == expected
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_4bit_weights_are_not_repacked(tiny: tuple[Path, Path]) -> None:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    quantized = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    model: Any = AutoModelForCausalLM.from_pretrained(tiny[0], quantization_config=quantized)
    layers = [module for module in model.modules() if hasattr(module, "support_avx512bf16_for_cpu")]
    assert len(layers) == 14
    before = [(layer.weight.data.clone(), layer.weight.quant_state.absmax.clone()) for layer in layers]
    with undisturbed(model.train()):
        model(torch.ones(1, 4, dtype=torch.long))
    for layer, (weight, absmax) in zip(layers, before, strict=True):
        assert torch.equal(layer.weight.data, weight)
        assert torch.equal(layer.weight.quant_state.absmax, absmax)
