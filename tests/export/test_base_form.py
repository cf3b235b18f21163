"""The base's tensors as the training computed with them, one at a time."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from axolotl_alttrain.export.base_form import BaseForm, quantized_modules

from .tiny_models import TRAINED_NF4

MODULE = "model.layers.0.mlp.up_proj"


def test_nothing_of_a_quantised_matrix_is_kept() -> None:
    # States of all matrices between the large temporaries kept 0.1 GiB for each layer of an 8B model.
    config = LlamaConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        vocab_size=64,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    twins = quantized_modules(model, TRAINED_NF4)
    weight = torch.randn(128, 64, generator=torch.Generator().manual_seed(0))
    value = BaseForm(torch.float32, torch.float32, twins).restore(MODULE, "weight", weight)
    assert not torch.equal(value, weight)
    assert twins[MODULE].quant_state is None
