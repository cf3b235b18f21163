"""Use a model during training without affecting the training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards, random states and each module's mode are restored.

    Compiled models run uncompiled inside. Completions grow by one token per step; compiling every length would exhaust
    torch's recompilation limit, and training would fall back to uncompiled code.
    """
    modes = [(module, module.training) for module in model.modules()]
    python, numpy = random.getstate(), np.random.get_state()
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    devices: dict[str, Any] = {"devices": []}
    if accelerator is not None:
        devices = {"devices": range(torch.accelerator.device_count()), "device_type": accelerator.type}
    try:
        with torch.random.fork_rng(**devices), torch.inference_mode(), torch.compiler.set_stance("force_eager"):
            model.eval()
            _keep_4bit_weights_as_they_are(model)
            yield
    finally:
        for module, training in modes:
            module.training = training
        random.setstate(python)
        np.random.set_state(numpy)
        if torch.cuda.is_available():
            # Otherwise blocks of odd sizes would fragment the memory that training reuses.
            torch.cuda.empty_cache()


def _keep_4bit_weights_as_they_are(model: torch.nn.Module) -> None:
    """Leave bitsandbytes' 4-bit layers in training mode, which has no other effect on them.

    In evaluation mode on a CPU with AVX512-BF16 they repack their weights permanently, with scales rounded to bfloat16,
    and training would continue with those (bitsandbytes 0.50, ``Linear4bit.forward``).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.training = True
