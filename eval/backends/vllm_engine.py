"""Import vLLM, and the arguments of its engine."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, with_type
from axolotl_alttrain.generation.identity import Located
from axolotl_alttrain.generation.loading import tokenizer_source

# The ranks that vLLM allocates memory for (vllm/config/lora.py, MaxLoRARanks).
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
AUTO_FIT = -1  # max_model_len: the model's context, or what fits beside the weights


def require_vllm() -> None:
    """Do nothing if the package is installed.

    Raises:
        AltTrainError: It is not.
    """
    if find_spec("vllm") is None:
        raise AltTrainError(
            "--backend vllm needs the package vllm; run 'pip install vllm', or without a GPU 'make vllm' and this "
            "command with .venv-vllm/bin/python"
        )


def import_vllm(load_in_4bit: bool) -> Any:
    """The module ``vllm``.

    Raises:
        AltTrainError: It is missing or cannot be imported, or runs on a CPU and cannot load 4 bits.
    """
    require_vllm()
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    try:
        import vllm
        import vllm.lora.request
        from vllm.platforms import current_platform
    except Exception as error:  # a broken installation fails in many ways
        raise AltTrainError(
            f"--backend vllm: the installed vllm cannot be imported ({with_type(error)}); install it in an environment "
            "of its own"
        ) from error
    if load_in_4bit and current_platform.is_cpu():
        raise AltTrainError(
            "--backend vllm: vLLM loads 4-bit weights on GPUs only; use --weights full-precision without "
            "--load-in-4bit, or --backend hf"
        )
    return vllm


def engine_options(model: str, found: Located, load_in_4bit: bool) -> dict[str, Any]:
    """The arguments of ``vllm.LLM`` that select weights, tokenizer and adapter, each at its commit."""
    tokenizer, commit = tokenizer_source(model, found)
    options: dict[str, Any] = {
        "model": model,
        "revision": found.commit,
        "tokenizer": tokenizer,
        "tokenizer_revision": commit,
        "trust_remote_code": False,
        "enable_prefix_caching": True,
        "max_model_len": AUTO_FIT,
        "generation_config": "vllm",  # no sampling defaults of the model's own
    }
    if load_in_4bit:
        options["quantization"] = "bitsandbytes"
    elif found.commit:  # pickled weights in a folder are refused already; bitsandbytes has a format of its own
        options["load_format"] = "safetensors"
    if found.adapter:
        options |= {"enable_lora": True, "max_lora_rank": lora_rank(found.adapter)}
    return options


def lora_rank(adapter: str) -> int:
    """The LoRA rank that vLLM must allocate memory for."""
    path = Path(adapter) / "adapter_config.json"
    if not path.is_file():
        return 64
    config = json.loads(path.read_text(encoding="utf-8"))
    rank = max(int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values()), 1)
    return next((allowed for allowed in LORA_RANKS if allowed >= rank), rank)
