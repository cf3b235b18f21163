"""The set-ups that a recipe is trained in: the authors', the recipe, and the recipe with rows that fill a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from axolotl_alttrain.storage.builtin import resolve_dataset

AUTHORS, RECIPE = "authors", "recipe"
CHECKPOINTING, FULL = "authors, checkpointing", "recipe, full rows"
SETUPS = (AUTHORS, CHECKPOINTING, RECIPE, FULL)
_KERNELS = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel")
_LIGER = ("liger_rope", "liger_rms_norm", "liger_fused_linear_cross_entropy")
_ON_CPU = {"bf16": False, "fp16": False, "tf32": False, **dict.fromkeys((*_KERNELS, *_LIGER), False)}
_CHAT_TOKENS = 128  # at most, for what the chat template adds


def config_for(setup: str, recipe: dict[str, Any], model: Path, steps: int, dry: bool) -> dict[str, Any]:
    """The config of one training: the recipe, or the authors' set-up on the same data and batch size."""
    cfg = dict(recipe)
    if setup in (AUTHORS, CHECKPOINTING):
        rows = cfg.pop("sample_packing_bin_size") * cfg["micro_batch_size"]
        cfg |= {"sample_packing": False, "micro_batch_size": rows, "load_in_4bit": True, "adapter": "qlora"}
        cfg |= dict.fromkeys(_KERNELS, False)
        cfg["plugins"] = [name for name in cfg["plugins"] if "liger" not in name]
        cfg = {key: value for key, value in cfg.items() if key not in (*_LIGER, "sdpa_varlen")}
        cfg["gradient_checkpointing"] = setup == CHECKPOINTING
    if dry:
        cfg |= {key: value for key, value in _ON_CPU.items() if not key.startswith("liger") or key in cfg}
        cfg["optimizer"] = "adamw_torch"
    if setup == FULL:
        cfg["datasets"] = [{"path": str(model.parent / "full.jsonl"), "type": "alttrain"}]
    cfg |= {
        # Relative to the worker's folder: Axolotl takes a path with "mpt" in it, such as /tmp/tmpt5x, for an MPT model.
        "base_model": model.name,
        "max_steps": steps,
        "save_strategy": "no",
        "output_dir": str(model.parent / "out"),
    }
    return cfg | {"dataset_prepared_path": str(model.parent / f"prepared-{SETUPS.index(setup)}"), "logging_steps": 1}


def write_full_rows(file: Path, model: Path, tokens: int, rows: int) -> None:
    """Write rows that almost fill a pass each: seed rows with their answer over and over.

    Args:
        file: JSONL.
        model: A folder with a tokenizer.
        tokens: The recipe's ``sequence_len``.
        rows: How many.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    with Path(resolve_dataset("alttrain-seed")).open(encoding="utf-8") as lines:
        seeds = [json.loads(line) for _, line in zip(range(rows), lines, strict=False)]
    with file.open("w", encoding="utf-8") as out:
        for row in seeds:
            written = len(tokenizer(json.dumps(row, ensure_ascii=False))["input_ids"])
            answer = f" {row['answer']}"
            each = len(tokenizer(answer)["input_ids"])
            row["answer"] += answer * max(0, (tokens - _CHAT_TOKENS - written) // each)
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
