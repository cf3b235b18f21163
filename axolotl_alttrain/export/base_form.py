"""The values that the base's weights had during training: quantised and dequantised, or in full precision."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BaseForm:
    """How a tensor of the base becomes what the training computed with.

    Attributes:
        dtype: Type in which the training loaded the base, before quantising it; None for the stored type.
        compute_dtype: Type in which bitsandbytes multiplies dequantised weights.
        quantized: By the name of a module that bitsandbytes quantises, its quantised twin on the meta device.
        device: Where tensors are quantised: the GPU where there is one, as in training.
    """

    dtype: Any
    compute_dtype: Any
    quantized: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"

    def restore(self, module: str, parameter: str, tensor: Any) -> Any:
        """The value of one tensor as the training computed with it, on the CPU.

        Args:
            module: Name of the module.
            parameter: Name within the module, such as ``weight``.
            tensor: As it is on the disk.
        """
        if not tensor.is_floating_point():
            return tensor
        value = tensor if self.dtype is None else tensor.to(self.dtype)
        if module in self.quantized:
            if parameter == "weight":
                value = _round_trip(value, self.quantized[module], self.device)
            value = value.to(self.compute_dtype)
        return value.cpu()


def quantized_modules(model: Any, quantization: Mapping[str, Any]) -> dict[str, Any]:
    """The modules that transformers and bitsandbytes quantise while loading.

    transformers' own quantiser decides, so that its rules (the output layer, modules to skip, modules to keep in
    float32) hold here as in training.

    Args:
        model: The model on the meta device; it stays as it is.
        quantization: bitsandbytes' ``quantization_config``.

    Returns:
        By name, the module of bitsandbytes that takes its place, on the meta device.
    """
    from bitsandbytes.nn import Linear4bit, Linear8bitLt
    from transformers import BitsAndBytesConfig
    from transformers.quantizers.auto import AutoHfQuantizer

    twin = copy.deepcopy(model)
    config = BitsAndBytesConfig.from_dict(dict(quantization))
    quantizer = AutoHfQuantizer.from_config(config, pre_quantized=False)
    quantizer.preprocess_model(twin, device_map=None)
    return {name: module for name, module in twin.named_modules() if isinstance(module, Linear4bit | Linear8bitLt)}


def _round_trip(weight: Any, module: Any, device: str) -> Any:
    """Quantise and dequantise one matrix with the settings of its module, by the calls that loading makes."""
    from bitsandbytes.nn import Int8Params, Params4bit
    from transformers.integrations.bitsandbytes import dequantize_bnb_weight
    from transformers.pytorch_utils import Conv1D

    transposed = module.source_cls is Conv1D
    value = weight.T if transposed else weight
    # A module that is named would keep the state of its matrix.
    left_out = ("SCB", "CB", "module")
    settings = {name: setting for name, setting in module.weight.__dict__.items() if name not in left_out}
    kind = Int8Params if isinstance(module.weight, Int8Params) else Params4bit
    packed = kind(value.contiguous().cpu(), requires_grad=False, **settings).to(device)
    result = dequantize_bnb_weight(packed, copy.copy(getattr(module, "state", None)))
    return result.T if transposed else result
