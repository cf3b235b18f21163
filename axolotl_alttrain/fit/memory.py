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
CONTEXT_PART = "CUDA context and libraries"
FRAGMENTS_PART = "allocator fragmentation"
FRAGMENTS = 0.05  # fragmentation, as a share of the temporary memory
# Layer inputs on the GPU while others are copied to or from the CPU: trl's OffloadActivations.
OFFLOADED_AHEAD = 5
# transformers' loss in backward: float32 log-softmax, its gradient and the gradient of the logits.
STOCK_LOGIT_BYTES = 12


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


def memory_parts(model: Model, cfg: Any, tokens: int, gpus: int = 1, logit_bytes: float | None = None) -> list[Part]:
    """The parts of the peak memory.

    Args:
        model: From :func:`read_model`.
        cfg: The recipe as Axolotl completes it.
        tokens: Tokens in one forward pass on one GPU, including padding.
        gpus: Number of GPUs; FSDP and ZeRO-3 shard the weights over them, other setups replicate them.
        logit_bytes: Peak bytes of the loss per logit, for a loss that Axolotl does not have.
    """
    sizes = model.sizes
    shards = gpus if is_sharded(cfg) else 1
    linear, packing = _linear_bytes(cfg, sizes)
    adapter = bool(cfg.adapter)
    width = trained_bytes(cfg)
    trained = sum(sizes.trained)
    parts = [
        Part(f"linear weights, {packing}", linear / shards, f"{sum(sizes.linear):,} parameters"),
        Part("embeddings, head, norms, bf16", 2 * sizes.other / shards, f"{sizes.other:,} parameters"),
    ]
    if adapter:
        parts.append(Part(f"LoRA weights, {8 * width} bit", width * trained / shards, f"{trained:,} parameters"))
    passing = _passing(model, cfg, tokens, logit_bytes)
    parts.append(_gradients(cfg, sizes, width, shards, sum(part.bytes for part in passing)))
    states, what = _optimizer_bytes(str(cfg.optimizer or "adamw_torch_fused"), sizes.trained, width)
    parts.append(Part(f"optimizer states, {what}", states / shards, str(cfg.optimizer)))
    if shards > 1:
        parts.append(Part("gathered weights", _gathered(cfg, sizes), "two layers, plus embeddings, head and norms"))
    parts += passing
    parts.append(_fragments(cfg, sizes, tokens, passing, logit_bytes))
    parts.append(Part(CONTEXT_PART, CONTEXT, "assumed"))
    return parts


def trained_bytes(cfg: Any) -> int:
    """Bytes of one trained value: PEFT keeps an adapter in float32; without one, bfloat16 weights are trained."""
    return 4 if cfg.adapter and cfg.peft_autocast_adapter_dtype is not False else 2


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


def _gradients(cfg: Any, sizes: Sizes, width: int, shards: int, passing: float) -> Part:
    """Gradients at the peak. They arise while backward releases what forward kept, unless earlier steps left them."""
    trained = sum(sizes.trained)
    name, gradients = f"gradients, {8 * width} bit", width * trained / shards
    if int(cfg.gradient_accumulation_steps or 1) > 1:
        return Part(name, gradients, f"{trained:,} parameters, kept between accumulation steps")
    if not cfg.adapter and sizes.tied:
        # The head's gradient waits for the embedding's, which has the same size, before they are added.
        gradients += width * sizes.vocabulary * sizes.hidden / shards
    beyond = f"{trained:,} parameters, as far as they exceed the two lines on activations"
    return Part(name, max(0.0, gradients - passing), beyond)


def _passing(model: Model, cfg: Any, tokens: int, logit_bytes: float | None) -> list[Part]:
    """What forward keeps for backward, and the largest temporary memory on top of it.

    With checkpointing, a layer is computed again after the loss has released its logits, so the two never coexist.
    """
    sizes = model.sizes
    loss = logit_bytes * tokens * sizes.vocabulary if logit_bytes else _loss_bytes(cfg, sizes, tokens)
    unpacked = 2 * max(sizes.linear) if cfg.load_in_4bit or cfg.load_in_8bit else 0
    layer = float(unpacked + 4 * 2 * tokens * sizes.widest)
    what = "a dequantized weight and four tensors of the largest width"
    if cfg.gradient_checkpointing:
        layer += model.kept * tokens
        what = f"one layer's tensors, {what}"
    largest = Part("largest moment: a layer's backward", layer, what)
    if loss > layer:
        largest = Part("largest moment: the loss", loss, "logits and their gradient")
    return [_activations(model, cfg, tokens), largest]


def _activations(model: Model, cfg: Any, tokens: int) -> Part:
    sizes = model.sizes
    if not cfg.gradient_checkpointing:
        each = f"{model.kept / 1024:.1f} KiB per token and layer, from autograd"
        return Part("kept for backward", model.kept * tokens * sizes.reached, each)
    layers, what = sizes.reached, "the input of each layer"
    if cfg.activation_offloading:
        layers = min(layers, 1 if cfg.activation_offloading == "legacy" else OFFLOADED_AHEAD)
        what = f"the inputs of {layers} layers; the others are in CPU memory"
    return Part("kept for backward", 2 * sizes.hidden * tokens * layers, what)


def _loss_bytes(cfg: Any, sizes: Sizes, tokens: int) -> float:
    every = float(tokens) * sizes.vocabulary
    if cfg.cut_cross_entropy:
        return 4.0 * tokens * sizes.hidden
    if cfg.liger_fused_linear_cross_entropy:
        # Liger chooses chunks of tokens whose logits are about as large as the input.
        chunk = 1 << math.ceil(math.log2(max(1, tokens / math.ceil(sizes.vocabulary / sizes.hidden))))
        return 2.0 * chunk * sizes.vocabulary + 4.0 * tokens * sizes.hidden
    if cfg.chunked_cross_entropy:
        # Only the loss is chunked: all logits and the gradients of all chunks exist in bfloat16.
        return 4 * every
    return STOCK_LOGIT_BYTES * every


def _fragments(cfg: Any, sizes: Sizes, tokens: int, passing: list[Part], logit_bytes: float | None) -> Part:
    """What the allocator reserves beyond what is allocated."""
    fragments, what = FRAGMENTS * sum(part.bytes for part in passing), f"{100 * FRAGMENTS:.0f} % of the two lines above"
    fused = cfg.cut_cross_entropy or cfg.liger_fused_linear_cross_entropy or cfg.chunked_cross_entropy or logit_bytes
    if not fused:
        fragments += 2.0 * tokens * sizes.vocabulary
        what += ", and the block of the bfloat16 logits, too small for their float32 gradients"
    return Part(FRAGMENTS_PART, fragments, f"assumed: {what}")


def _gathered(cfg: Any, sizes: Sizes) -> float:
    """Weights gathered from other GPUs: the current and the next layer, and those outside the layers."""
    layer = sum(sizes.linear) / sizes.layers
    layer_bytes = nf4_bytes(int(layer)) if cfg.load_in_4bit else 2 * layer
    return 2 * layer_bytes + 2 * sizes.other
