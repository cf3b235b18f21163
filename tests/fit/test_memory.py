from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from axolotl_alttrain.fit.architecture import Sizes
from axolotl_alttrain.fit.gpus import GPUS, find_gpu, is_sharded, needed_gpus
from axolotl_alttrain.fit.memory import GIB, Model, memory_parts, nf4_bytes, read_model

from .conftest import recipe_cfg

SIZES = Sizes(
    linear=(1 << 20,) * 8, other=1 << 21, trained=(65_536,) * 4, layers=2, hidden=256, widest=1024,
    vocabulary=4096, attention=256,
)  # fmt: skip
MODEL = Model(SIZES, kept=10_000.0)


def part(name: str, tokens: int = 1000, gpus: int = 1, **changes: Any) -> float:
    found = [p.bytes for p in memory_parts(MODEL, recipe_cfg(**changes), tokens, gpus) if p.name.startswith(name)]
    assert len(found) == 1, name
    return found[0]


def test_nf4_equals_what_bitsandbytes_stores() -> None:
    import torch
    from bitsandbytes.functional import quantize_4bit

    for double in (True, False):
        weight = torch.randn(512, 768)
        packed, state = quantize_4bit(weight, blocksize=64, quant_type="nf4", compress_statistics=double)
        scales = state.absmax.nbytes + (state.state2.absmax.nbytes if double else 0)
        assert nf4_bytes(weight.numel(), double) == packed.nbytes + scales


def test_optimizer_states_equal_torch_and_bitsandbytes() -> None:
    import torch
    from bitsandbytes.optim import AdamW8bit

    def states(optimizer: Any, weights: list[Any]) -> int:
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        optimizer.step()
        kept = [v for state in optimizer.state.values() for k, v in state.items() if k in ("state1", "state2",
                "absmax1", "absmax2", "exp_avg", "exp_avg_sq")]  # fmt: skip
        return sum(tensor.nbytes for tensor in kept)

    weights = [torch.nn.Parameter(torch.randn(65_536)) for _ in range(4)]
    assert part("optimizer states", optimizer="adamw_torch") == states(torch.optim.AdamW(weights), weights)
    weights = [torch.nn.Parameter(torch.randn(65_536)) for _ in range(4)]
    assert part("optimizer states") == pytest.approx(states(AdamW8bit(weights), weights), rel=0.01)


def test_each_part_has_its_bytes() -> None:
    assert part("linear weights", load_in_4bit=False, adapter="lora") == 2 * (8 << 20)
    assert part("embeddings") == 2 * (1 << 21)
    assert part("LoRA weights") == 4 * 4 * 65_536
    assert part("gradients", gradient_accumulation_steps=2) == 4 * 4 * 65_536
    assert part("kept for backward") == 10_000 * 1000 * 2
    assert part("kept for backward", gradient_checkpointing=True) == 2 * 256 * 1000 * 2
    # In backward: float32 log-softmax, its gradient and the gradient of the logits.
    assert part("largest moment: the loss") == 12 * 1000 * 4096
    assert part("largest moment: the loss", chunked_cross_entropy=True) == 4 * 1000 * 4096


def test_gradients_and_activations_share_memory_without_accumulation() -> None:
    full = {"adapter": None, "load_in_4bit": False}
    activations = 10_000 * 1000 * 2 + 12 * 1000 * 4096
    gradients = 2 * sum(SIZES.trained)
    assert part("gradients", **full) == 0  # fewer bytes than the activations that backward has released by then
    assert part("gradients", tokens=1, **full) == gradients - activations // 1000
    assert part("gradients", gradient_accumulation_steps=2, **full) == gradients


def test_a_tied_head_and_embedding_each_have_a_gradient_for_a_moment() -> None:
    tied = dataclasses.replace(SIZES, other=4096 * 256 + 256)
    assert tied.tied
    assert not SIZES.tied
    cfg = recipe_cfg(adapter=None, load_in_4bit=False)
    one, two = (
        next(p.bytes for p in memory_parts(Model(sizes, 0.0), cfg, 0) if p.name.startswith("gradients"))
        for sizes in (SIZES, tied)
    )
    assert two - one == 2 * 4096 * 256


def test_checkpointing_computes_a_layer_again_after_the_loss() -> None:
    moment = part("largest moment: a layer", gradient_checkpointing=True, cut_cross_entropy=True)
    assert moment == 2 * (1 << 20) + 4 * 2 * 1000 * 1024 + 10_000 * 1000


def test_offloading_leaves_the_inputs_of_some_layers_on_the_gpu() -> None:
    deep = Model(dataclasses.replace(SIZES, layers=32), 10_000.0)

    def inputs(how: Any) -> float:
        cfg = recipe_cfg(gradient_checkpointing=True, activation_offloading=how)
        return next(p.bytes for p in memory_parts(deep, cfg, 1000) if p.name == "kept for backward")

    assert [inputs(how) / (2 * 256 * 1000) for how in (None, True, "legacy")] == [32, 5, 1]


def test_the_allocator_cannot_reuse_the_block_of_the_logits() -> None:
    passing = part("kept for backward") + part("largest moment")
    assert part("allocator") == pytest.approx(0.05 * passing + 2 * 1000 * 4096)
    fused = part("kept for backward") + part("largest moment", cut_cross_entropy=True)
    assert part("allocator", cut_cross_entropy=True) == pytest.approx(0.05 * fused)


def test_a_loss_that_axolotl_does_not_have() -> None:
    parts = memory_parts(MODEL, recipe_cfg(load_in_4bit=False), 1000, logit_bytes=2.25)
    layer = 4 * 2 * 1000 * 1024
    assert [p.bytes for p in parts if p.name.startswith("largest moment")] == [max(2.25 * 1000 * 4096, layer)]


def test_fused_losses_never_hold_all_logits() -> None:
    fused = part("largest moment", liger_fused_linear_cross_entropy=True)
    assert fused < part("largest moment") / 3  # then a layer's backward is the largest
    assert part("largest moment", cut_cross_entropy=True) <= fused


def test_sharding_halves_the_weights_and_adds_what_is_gathered() -> None:
    cfg = {"fsdp_config": {"reshard_after_forward": True}, "load_in_4bit": False, "adapter": "lora"}
    assert part("linear weights", gpus=2, **cfg) == 8 << 20
    assert part("gathered weights", gpus=2, **cfg) == 2 * 2 * (4 << 20) + 2 * (1 << 21)


def test_memory_grows_with_tokens_in_a_straight_line() -> None:
    totals = [sum(p.bytes for p in memory_parts(MODEL, recipe_cfg(), n)) for n in (1000, 2000, 3000)]
    assert totals[2] - totals[1] == pytest.approx(totals[1] - totals[0], rel=0.01)


def test_the_whole_of_a_real_config(llama: Any) -> None:
    parts = memory_parts(read_model(llama, recipe_cfg()), recipe_cfg(), 100)
    assert 0.5 * GIB < sum(p.bytes for p in parts) < 0.7 * GIB  # a tiny model: the context is nearly all


def test_cards_are_found_as_people_write_them() -> None:
    assert find_gpu("RTX 3090") is find_gpu("3090") is GPUS["3090"]
    assert GPUS["a6000"].capabilities(2) == {
        "bf16": True, "fp8": False, "tf32": True, "n_gpu": 2, "n_node": 1, "compute_capability": "sm_86",
    }  # fmt: skip
    assert find_gpu("h100").capabilities()["fp8"] is True
    with pytest.raises(ValueError, match="--gpu: found 'gtx'; allowed: a6000"):
        find_gpu("gtx")


@pytest.mark.parametrize(
    ("changes", "sharded", "number"),
    [
        ({}, False, 1),
        ({"fsdp_config": {"offload_params": False}}, True, 2),
        ({"deepspeed": {"zero_optimization": {"stage": 3}}}, True, 2),
        ({"deepspeed": {"zero_optimization": {"stage": 2}}}, False, 1),
        ({"deepspeed": "deepspeed_configs/zero3_bf16.json"}, True, 2),
        ({"use_ray": True, "ray_num_workers": 4}, False, 4),
    ],
)
def test_how_many_cards_a_recipe_needs(changes: dict[str, Any], sharded: bool, number: int) -> None:
    cfg = recipe_cfg(**changes)
    assert (is_sharded(cfg), needed_gpus(cfg)) == (sharded, number)
