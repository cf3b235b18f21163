"""Estimate training time from assumed efficiencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.fit.gpus import Gpu
from axolotl_alttrain.fit.memory import Model, trained_bytes

# Assumed shares of the data sheet's rates. The first has the smallest worst factor on the tuning half of the published
# speeds (benchmarks/published_memory.yml), in steps of 0.05.
MATRIX_EFFICIENCY = 0.65
BANDWIDTH_EFFICIENCY = 0.8
# The least time of a layer's forward or backward pass over a 4-bit base, however fast the card. Three set-ups of an 8B
# model on one H100 took 6.8 to 7.5 ms, whether a batch had 1,400 or 3,300 tokens (benchmarks/results/train_gpu.json).
LAYER_SECONDS_4BIT = 0.007


@dataclass(frozen=True)
class Batch:
    """One forward pass on one GPU.

    Attributes:
        rows: Number of rows.
        tokens: Tokens of these rows.
        padded: Computed tokens, including padding.
    """

    rows: int
    tokens: int
    padded: int


@dataclass(frozen=True)
class Duration:
    """Steps, tokens and time of a whole training.

    Attributes:
        steps: Optimizer steps.
        tokens: Tokens of rows, over all epochs.
        padded: Computed tokens, over all epochs.
        seconds: Wall time, without loading and saving.
        rows_per_step: Mean number of rows per step.
    """

    steps: int
    tokens: int
    padded: int
    seconds: float
    rows_per_step: float


def duration(
    model: Model,
    cfg: Any,
    batches: Sequence[Batch],
    gpu: Gpu,
    gpus: int = 1,
    efficiency: float = MATRIX_EFFICIENCY,
) -> Duration:
    """Estimate the time of a training.

    Args:
        model: From :func:`~.memory.read_model`.
        cfg: The recipe as Axolotl completes it.
        batches: Batches of one epoch, over all GPUs.
        gpu: The GPU.
        gpus: Number of GPUs; each processes every n-th batch.
        efficiency: Share of ``gpu.tflops`` that matrix products reach.
    """
    epochs = float(cfg.num_epochs or 1)
    per_epoch, steps = optimizer_steps(len(batches), cfg, gpus)
    share = steps / (per_epoch * epochs)
    seconds = sum(seconds_of(model, cfg, batch, gpu, efficiency) for batch in batches) * epochs * share / gpus
    seconds += steps * optimizer_seconds(model, cfg, gpu)
    rows = sum(batch.rows for batch in batches)
    return Duration(
        steps=steps,
        tokens=int(sum(batch.tokens for batch in batches) * epochs * share),
        padded=int(sum(batch.padded for batch in batches) * epochs * share),
        seconds=seconds,
        rows_per_step=rows / per_epoch,
    )


def optimizer_steps(batches: int, cfg: Any, processes: int = 1) -> tuple[int, int]:
    """Optimizer steps of an epoch and of the whole training, as transformers' Trainer counts them.

    Args:
        batches: Batches of one epoch, over all processes.
        cfg: The recipe as Axolotl completes it.
        processes: Training processes; each takes every n-th batch, and the last round is filled with earlier rows.
    """
    rounds = math.ceil(batches / processes)
    per_epoch = max(1, math.ceil(rounds / int(cfg.gradient_accumulation_steps or 1)))
    steps = math.ceil(per_epoch * float(cfg.num_epochs or 1))
    return per_epoch, min(steps, int(cfg.max_steps)) if cfg.max_steps and cfg.max_steps > 0 else steps


def flops_per_token(model: Model, cfg: Any, context: float = 0.0) -> float:
    """Floating-point operations per token, forward and backward.

    A weight costs two operations in forward, two for the gradient of its input, and two for its own gradient, which a
    frozen weight does not need. Checkpointing runs the layers forward once more. Layers below the lowest one with an
    adapter run forward only.

    Args:
        model: From :func:`~.memory.read_model`.
        cfg: The recipe as Axolotl completes it.
        context: Average number of earlier tokens that a token attends to.
    """
    sizes = model.sizes
    again = 1 if cfg.gradient_checkpointing else 0
    reached = sizes.reached / sizes.layers
    layers = float(sum(sizes.linear))
    head = float(sizes.vocabulary) * sizes.hidden
    attention = 4.0 * sizes.attention * context * sizes.layers
    frozen = 2 * (1 + reached * (1 + again)) * layers + 2 * 2 * head + (1 + reached * (2 + again)) * attention
    if not cfg.adapter:
        return frozen + 2 * (layers + head)
    return frozen + (3 + again) * 2.0 * sum(sizes.trained)


def seconds_of(model: Model, cfg: Any, batch: Batch, gpu: Gpu, efficiency: float = MATRIX_EFFICIENCY) -> float:
    """Seconds of one forward and backward pass: matrix products plus memory traffic, or a 4-bit base's least time."""
    sizes = model.sizes
    context = batch.tokens / max(1, batch.rows) / 2
    products = batch.padded * flops_per_token(model, cfg, context) / (gpu.tflops * 1e12 * efficiency)
    reached = sizes.reached / sizes.layers
    passes = 1 + reached * (2 if cfg.gradient_checkpointing else 1)
    # A quantized weight is read, written dequantized, and read by the product. Others are only read.
    per_weight = 4.5 if cfg.load_in_4bit else 3.0 if cfg.load_in_8bit else 2.0
    # Kept tensors are written and read once; temporary ones are assumed to add the same amount.
    traffic = passes * per_weight * sum(sizes.linear) + 4 * model.kept * batch.padded * sizes.reached
    least = passes * sizes.layers * LAYER_SECONDS_4BIT if cfg.load_in_4bit else 0.0
    return max(least, products + traffic / (gpu.bandwidth * 1e9 * BANDWIDTH_EFFICIENCY))


def optimizer_seconds(model: Model, cfg: Any, gpu: Gpu) -> float:
    """Seconds of one optimizer step: memory traffic of gradient clipping and of Adam."""
    name, width = str(cfg.optimizer or "adamw_torch_fused"), trained_bytes(cfg)
    clipping = 3 * width  # read for the norm, read and written to scale
    if "8bit" in name:
        adam = 3 * width + 4  # the gradient read, the weight and two states of a byte read and written
    elif "fused" in name:
        adam = 7 * width  # the gradient read, the weight and two states read and written
    else:
        adam = 20 * width  # one pass for each operation of Adam
    return (clipping + adam) * sum(model.sizes.trained) / (gpu.bandwidth * 1e9 * BANDWIDTH_EFFICIENCY)
