"""The bytes kept for backward, against what a real forward pass on the CPU keeps."""

from __future__ import annotations

import copy
from typing import Any

from axolotl_alttrain.fit.activations import Kept, bytes_per_token_and_layer
from axolotl_alttrain.fit.architecture import measure
from axolotl_alttrain.fit.memory import Model, _activations

from .conftest import recipe_cfg


def kept_by_a_real_layer(config: Any, tokens: int, attention: bool = True) -> float:
    """Bytes per token that one real bfloat16 layer with a LoRA adapter keeps, its attention's own left out."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.autograd.graph import saved_tensors_hooks
    from transformers import AttentionInterface, LlamaForCausalLM

    def nothing_kept(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> tuple[Any, None]:
        return query.transpose(1, 2).detach().clone().requires_grad_(), None

    AttentionInterface.register("test_nothing_kept", nothing_kept)
    sizes = []
    for layers in (2, 3):
        small = copy.deepcopy(config)
        small.num_hidden_layers = layers
        model = LlamaForCausalLM(small).to(torch.bfloat16)
        tuned = get_peft_model(model, LoraConfig(r=16, target_modules="all-linear"), autocast_adapter_dtype=False)
        model.set_attn_implementation("test_nothing_kept")
        kept = Kept(tuned.parameters())
        ids = torch.zeros(1, tokens, dtype=torch.long)

        def pack(tensor: Any, kept: Kept = kept) -> Any:
            kept.keep(tensor)
            return tensor

        mask = torch.zeros(1, 1, 1, tokens)
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            model.model(input_ids=ids, attention_mask=mask, use_cache=False)
        sizes.append(kept.bytes)
    return (sizes[1] - sizes[0]) / tokens


def test_a_real_layer_keeps_what_the_meta_device_says(llama: Any) -> None:
    real = kept_by_a_real_layer(llama, 128)
    # What flash attention keeps beside its output, which o_proj keeps too: query, repeated keys and values, and a
    # float32 per head.
    attention = 3 * 2 * 64 + 4 * 4
    assert bytes_per_token_and_layer(llama, recipe_cfg()) == real + attention


def test_each_kernel_keeps_less(llama: Any) -> None:
    stock = bytes_per_token_and_layer(llama, recipe_cfg())
    steps = {"liger_rms_norm": True}, {"lora_mlp_kernel": True}, {"lora_qkv_kernel": True}, {"lora_o_kernel": True}
    on: dict[str, Any] = {}
    for step in steps:
        on |= step
        less = bytes_per_token_and_layer(llama, recipe_cfg(**on))
        assert less < stock, step
        stock = less


def test_the_kernels_keep_exactly_their_tensors(llama: Any) -> None:
    on = dict.fromkeys(("liger_rms_norm", "liger_rope", "lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel"), True)
    found = bytes_per_token_and_layer(llama, recipe_cfg(**on))
    # In bfloat16: two norm inputs, the inputs of q/k/v, of o and of the MLP, gate and up; query, repeated keys and
    # values of attention, and its float32 per head.
    hidden, wide = 2 * 64, 2 * 160
    assert found == 2 * hidden + 3 * hidden + 2 * wide + 3 * hidden + 4 * 4


def test_compiled_layers_keep_what_the_fused_kernels_keep(llama: Any) -> None:
    fused = dict.fromkeys(("liger_rms_norm", "liger_rope", "liger_glu_activation"), True)
    assert bytes_per_token_and_layer(llama, recipe_cfg(torch_compile=True)) == bytes_per_token_and_layer(
        llama, recipe_cfg(**fused)
    )


def test_rope_is_put_back(llama: Any) -> None:
    from transformers.models.llama import modeling_llama

    before = modeling_llama.apply_rotary_pos_emb
    bytes_per_token_and_layer(llama, recipe_cfg(liger_rope=True))
    assert modeling_llama.apply_rotary_pos_emb is before


def test_an_adapter_in_the_upper_layers_keeps_nothing_below_them(llama: Any) -> None:
    everywhere = {"adapter": "lora", "load_in_4bit": False, "gradient_checkpointing": False}
    upper = recipe_cfg(**everywhere, peft_layers_to_transform=[2])
    kept = bytes_per_token_and_layer(llama, upper)
    assert kept == bytes_per_token_and_layer(llama, recipe_cfg(**everywhere))
    assert measure(llama, recipe_cfg(**everywhere)).frozen_below == 0
    sizes = measure(llama, upper)
    assert (sizes.layers, sizes.frozen_below) == (3, 2)
    assert _activations(Model(sizes, kept), upper, 100).bytes == kept * 100
