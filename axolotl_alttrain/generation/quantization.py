"""How the base model is quantised. An adapter corrects the base it was trained on, rounding errors included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained_config import trained_config

# What Axolotl's `load_in_4bit: true` means.
NF4 = {
    "quant_method": "bitsandbytes",
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
}


def trained_quantization(adapter: str | None, revision: str | None = None) -> dict[str, Any] | None:
    """The quantisation of the base during training, from the model config that Axolotl saves beside an adapter.

    Args:
        adapter: Folder or hub id of a PEFT adapter, see
            :func:`axolotl_alttrain.generation.trained_config.trained_config`.
        revision: Commit, tag or branch of a hub id.

    Returns:
        The ``quantization_config`` of bitsandbytes; None if the base was not quantised or there is no config.
    """
    config = trained_config(adapter, revision)
    found = config.get("quantization_config") or {}
    return dict(found) if found.get("load_in_4bit") or found.get("load_in_8bit") else None


def choose_quantization(
    load_in_4bit: bool | None, adapter: str | None, revision: str | None = None
) -> dict[str, Any] | None:
    """How to load the base: as the user says, otherwise as the adapter was trained.

    Args:
        load_in_4bit: The user's choice; None without one.
        adapter: Folder or hub id of a PEFT adapter.
        revision: Commit, tag or branch of a hub id.
    """
    if load_in_4bit is False:
        return None
    trained = trained_quantization(adapter, revision)
    if load_in_4bit and not (trained and trained.get("load_in_4bit")):
        return dict(NF4)
    return trained


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


def only_four_bit(quantization: Mapping[str, Any] | None) -> bool:
    """Whether vLLM has to load the base in 4 bits, the only quantisation of trainings that it applies while loading.

    Raises:
        AltTrainError: The adapter was trained on a base in 8 bits.
    """
    if quantization and not quantization.get("load_in_4bit"):
        raise AltTrainError(
            "--backend vllm: the adapter was trained on an 8-bit base, which vLLM does not load; add "
            "--no-load-in-4bit for the full weights, --load-in-4bit, or --backend hf"
        )
    return quantization is not None
