"""How the base model is quantised. An adapter corrects the base it was trained on, rounding errors included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained.model_config import read_model_config, trained_config

# What Axolotl's `load_in_4bit: true` means.
NF4: dict[str, Any] = {
    "quant_method": "bitsandbytes",
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
}
# What bitsandbytes does by default.
_EIGHT_BIT: dict[str, Any] = {"llm_int8_threshold": 6.0}
_DEFAULTS = {"bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": False, "llm_int8_threshold": 6.0}


@dataclass(frozen=True)
class TrainedBase:
    """How an adapter's base was loaded in training.

    Attributes:
        recorded: Whether a model config beside the adapter says so.
        quantization: bitsandbytes' ``quantization_config``; None if the base was not quantised, or nothing is recorded.
    """

    recorded: bool
    quantization: dict[str, Any] | None = None


def trained_base(adapter: str, revision: str | None = None) -> TrainedBase:
    """How the base was loaded in training, from the model config that Axolotl saves beside an adapter.

    Args:
        adapter: Folder or hub id of a PEFT adapter, see
            :func:`axolotl_alttrain.generation.trained.model_config.trained_config`.
        revision: Commit, tag or branch of a hub id.
    """
    config = trained_config(adapter, revision)
    if not config:  # the folder or repository holds only the adapter
        return TrainedBase(False)
    found = config.get("quantization_config") or {}
    return TrainedBase(True, dict(found) if found.get("load_in_4bit") or found.get("load_in_8bit") else None)


def trained_quantization(adapter: str | None, revision: str | None = None) -> dict[str, Any] | None:
    """The quantisation of :func:`trained_base`; None without an adapter."""
    return None if adapter is None else trained_base(adapter, revision).quantization


def published_quantization(model: str, revision: str | None = None) -> str | None:
    """How the weights of a model are quantised in its own files, such as ``gptq``; None where they are not.

    Args:
        model: Folder or hub id. None is returned where its config cannot be read: loading it says why.
        revision: Commit, tag or branch of a hub id.
    """
    found = read_model_config(model, revision).get("quantization_config") or {}
    return str(found.get("quant_method") or "unknown method") if found else None


def quantization_name(quantization: Mapping[str, Any] | None) -> str:
    """``NF4``, ``FP4``, ``8-bit`` or ``unquantised``."""
    if not quantization:
        return "unquantised"
    if quantization.get("load_in_4bit"):
        return str(quantization.get("bnb_4bit_quant_type", _DEFAULTS["bnb_4bit_quant_type"])).upper()
    return "8-bit"


def quantization_key(quantization: Mapping[str, Any] | None) -> str:
    """What distinguishes a quantised base from others of the same width, for the keys of answers.

    Returns:
        Empty without quantisation, for :data:`NF4` and for bitsandbytes' 8 bits as they are by default.
    """
    if not quantization:
        return ""
    usual = NF4 if quantization.get("load_in_4bit") else _EIGHT_BIT
    names = ("bnb_4bit_quant_type", "bnb_4bit_use_double_quant") if usual is NF4 else ("llm_int8_threshold",)
    unusual = {name: value for name in names if (value := quantization.get(name, _DEFAULTS[name])) != usual[name]}
    if skipped := quantization.get("llm_int8_skip_modules"):
        unusual["llm_int8_skip_modules"] = sorted(skipped)
    return json.dumps(unusual, sort_keys=True) if unusual else ""


def bitsandbytes_config(quantization: Mapping[str, Any] | None, on_gpu: bool) -> Any:
    """The ``BitsAndBytesConfig`` of transformers; None without quantisation.

    Args:
        quantization: bitsandbytes' ``quantization_config``.
        on_gpu: Compute in bfloat16; in float32 otherwise.
    """
    if not quantization:
        return None
    import torch
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if on_gpu else torch.float32
    return BitsAndBytesConfig.from_dict({**quantization, "bnb_4bit_compute_dtype": compute})


def only_nf4(quantization: Mapping[str, Any] | None) -> bool:
    """Whether vLLM has to quantise the base to NF4, the only quantisation that it applies while loading.

    Raises:
        AltTrainError: The adapter was trained on a base in 8 bits or in FP4.
    """
    name = quantization_name(quantization)
    if name not in ("unquantised", "NF4"):
        raise AltTrainError(
            f"--backend vllm: the adapter was trained on a base in {name}, which vLLM does not load; add "
            "--weights full-precision for the unquantised base, or --backend hf"
        )
    return quantization is not None
