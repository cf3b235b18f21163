"""Peak memory of one GPU in training, by part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.fit.activations import bytes_per_token_and_layer
from axolotl_alttrain.fit.architecture import Sizes, measure
from axolotl_alttrain.fit.gpus import is_sharded

GIB = 1 << 30
# Assumptions, independent of the recipe.
CONTEXT = 0.6 * GIB  # CUDA context, cuBLAS workspace, loaded kernels
FRAGMENTS = 0.05  # fragmentation, as a share of the temporary memory


@dataclass(frozen=True)
class Part:
    """One part of the memory.

    Attributes:
        name: What uses the memory.
        bytes: Bytes on one GPU.
        source: How it is computed.
    """

    name: str
    bytes: float
    source: str


@dataclass(frozen=True)
class Model:
    """What memory and time depend on in a recipe's model.

    Attributes:
        sizes: Parameter counts.
        kept: Bytes per token that a decoder layer keeps for backward.
    """

    sizes: Sizes
    kept: float


def read_model(config: Any, cfg: Any) -> Model:
    """Count parameters and activations of a recipe's model on the meta device.

    Raises:
        AltTrainError: The architecture cannot be built or does not have the structure of transformers' decoders.
    """
    return Model(measure(config, cfg), bytes_per_token_and_layer(config, cfg))


def memory_parts(model: Model, cfg: Any, tokens: int, gpus: int = 1) -> list[Part]:
    """The parts of the peak memory.

    Args:
        model: From :func:`read_model`.
        cfg: The recipe as Axolotl completes it.
        tokens: Tokens in one forward pass on one GPU, including padding.
        gpus: Number of GPUs; FSDP and ZeRO-3 shard the weights over them, other setups replicate them.
    """
    sizes = model.sizes
    shards = gpus if is_sharded(cfg) else 1
    linear, packing = _linear_bytes(cfg, sizes)
    adapter = bool(cfg.adapter)
    # PEFT keeps an adapter in float32. Without an adapter, the bfloat16 weights themselves are trained.
    width = 4 if adapter and cfg.peft_autocast_adapter_dtype is not False else 2
    trained = sum(sizes.trained)
    parts = [
        Part(f"linear weights, {packing}", linear / shards, f"{sum(sizes.linear):,} parameters"),
        Part("embeddings, head, norms, bf16", 2 * sizes.other / shards, f"{sizes.other:,} parameters"),
    ]
    if adapter:
        parts.append(Part(f"LoRA weights, {8 * width} bit", width * trained / shards, f"{trained:,} parameters"))
    parts.append(Part(f"gradients, {8 * width} bit", width * trained / shards, f"{trained:,} parameters"))
    states, what = _optimizer_bytes(str(cfg.optimizer or "adamw_torch_fused"), sizes.trained, width)
    parts.append(Part(f"optimizer states, {what}", states / shards, str(cfg.optimizer)))
    if shards > 1:
        parts.append(Part("gathered weights", _gathered(cfg, sizes), "two layers, plus embeddings, head and norms"))
    passing = [_activations(model, cfg, tokens), _moment(model, cfg, tokens)]
    parts += passing
    fragments = FRAGMENTS * sum(part.bytes for part in passing)
    parts.append(Part("allocator fragmentation", fragments, f"assumed: {100 * FRAGMENTS:.0f} % of the two lines above"))
    parts.append(Part("CUDA context and libraries", CONTEXT, "assumed"))
    return parts


def nf4_bytes(weights: int, double_quantization: bool = True) -> float:
    """Bytes of a weight in NF4.

    64 values share a float32 scale. Double quantization stores scales in 8 bits, with one float32 constant for 256.

    Source: https://arxiv.org/abs/2305.14314, sections 2 and 3.
    """
    blocks = math.ceil(weights / 64)
    scales = blocks + 4 * math.ceil(blocks / 256) if double_quantization else 4 * blocks
    return math.ceil(weights / 2) + scales


def _linear_bytes(cfg: Any, sizes: Sizes) -> tuple[float, str]:
    if cfg.load_in_4bit:
        double = bool((cfg.bnb_config_kwargs or {}).get("bnb_4bit_use_double_quant", True))
        return sum(nf4_bytes(size, double) for size in sizes.linear), "NF4"
    if cfg.load_in_8bit:
        return sum(sizes.linear), "int8"
    return 2 * sum(sizes.linear), "bf16"


def _optimizer_bytes(name: str, trained: tuple[int, ...], width: int) -> tuple[float, str]:
    """Both moments of Adam; bitsandbytes keeps tensors below 4,096 elements in float32."""
    if "8bit" in name:
        packed = sum(size for size in trained if size >= 4096)
        return 2 * packed * (1 + 4 / 256) + 8 * (sum(trained) - packed), "8 bit"
    return 2 * width * sum(trained), f"{8 * width} bit, two moments"


def _activations(model: Model, cfg: Any, tokens: int) -> Part:
    sizes = model.sizes
    if not cfg.gradient_checkpointing:
        each = f"{model.kept / 1024:.1f} KiB per token and layer, from autograd"
        return Part("kept for backward", model.kept * tokens * sizes.layers, each)
    inputs = 2 * sizes.hidden * tokens * sizes.layers
    return Part("kept for backward", inputs + model.kept * tokens, "the input of each layer, plus one layer's tensors")


def _moment(model: Model, cfg: Any, tokens: int) -> Part:
    """The temporary tensors of the loss or of one layer's backward, whichever are larger."""
    sizes = model.sizes
    loss = _loss_bytes(cfg, sizes, tokens)
    unpacked = 2 * max(sizes.linear) if cfg.load_in_4bit or cfg.load_in_8bit else 0
    layer = unpacked + 4 * 2 * tokens * sizes.widest
    if loss > layer:
        return Part("largest moment: the loss", loss, "logits and their gradient")
    return Part(
        "largest moment: a layer's backward", layer, "a dequantized weight and four tensors of the largest width"
    )


def _loss_bytes(cfg: Any, sizes: Sizes, tokens: int) -> float:
    every = float(tokens) * sizes.vocabulary
    if cfg.cut_cross_entropy:
        return 4.0 * tokens * sizes.hidden
    if cfg.liger_fused_linear_cross_entropy:
        # Liger chooses chunks of tokens whose logits are about as large as the input.
        chunk = 1 << math.ceil(math.log2(max(1, tokens / math.ceil(sizes.vocabulary / sizes.hidden))))
        return 2.0 * chunk * sizes.vocabulary + 4.0 * tokens * sizes.hidden
    if cfg.chunked_cross_entropy:
        return 2 * every + 8 * every / (cfg.chunked_cross_entropy_num_chunks or 8)
    # Logits in bfloat16, their float32 copy and its log-softmax exist at the same time.
    return 10 * every


def _gathered(cfg: Any, sizes: Sizes) -> float:
    """Weights gathered from other GPUs: the current and the next layer, and those outside the layers."""
    layer = sum(sizes.linear) / sizes.layers
    layer_bytes = nf4_bytes(int(layer)) if cfg.load_in_4bit else 2 * layer
    return 2 * layer_bytes + 2 * sizes.other
