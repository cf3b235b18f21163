"""Merge an adapter into its base during generation, and restore the base bit for bit."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch


def mergeable(model: Any) -> bool:
    """Whether merging computes the same as the separate adapter.

    It does only in float32: in bfloat16 most of a LoRA's differences are smaller than half a step of the weight they
    are added to and are lost. It does not where a weight is tied to another module, such as embeddings to the output:
    merging changes both.

    Args:
        model: A ``peft.PeftModel``.
    """
    uses = Counter(id(weight) for _, weight in model.named_parameters(remove_duplicate=False))
    adapted = _adapted(model)
    return bool(adapted) and all(
        weight.dtype == torch.float32 and not weight.is_meta and uses[id(weight)] == 1 for weight in adapted
    )


@contextlib.contextmanager
def merged(model: Any) -> Iterator[None]:
    """Merge inside the context. The weights are saved, because subtracting again would leave rounding errors."""
    before = [(weight, weight.detach().to("cpu", copy=True)) for weight in _adapted(model)]
    try:
        model.merge_adapter()
        yield
    finally:
        model.unmerge_adapter()
        with torch.no_grad():
            for weight, value in before:
                weight.copy_(value)


def _adapted(model: Any) -> list[torch.nn.Parameter]:
    """The base parameters that the adapter changes, each once."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module.get_base_layer() for module in model.modules() if isinstance(module, BaseTunerLayer)]
    found = {id(weight): weight for layer in layers for weight in layer.parameters(recurse=False)}
    return list(found.values())
