"""Whether one process holds the whole model and can generate while the others wait."""

from __future__ import annotations

from typing import Any


def split_by(trainer: Any) -> str | None:
    """What splits the model's weights or sequences over processes; None if every process has all of them.

    With whole weights (one device, DDP, DeepSpeed ZeRO-1 and 2) a process can run a forward pass alone. With split
    weights every process has to take part, or all of them wait forever.

    Args:
        trainer: A transformers trainer with its model prepared.
    """
    if getattr(trainer, "is_fsdp_enabled", False):
        return "FSDP"
    deepspeed = getattr(trainer.accelerator.state, "deepspeed_plugin", None)
    if deepspeed is not None and deepspeed.zero_stage == 3:
        return "DeepSpeed ZeRO-3"
    parallel = getattr(trainer.accelerator, "parallelism_config", None)
    for name in ("tp", "cp", "sp", "dp_shard"):
        if getattr(parallel, f"{name}_enabled", False):
            return f"parallelism over '{name}'"
    cfg = getattr(trainer, "axolotl_cfg", None) or {}
    for key in ("context_parallel_size", "tensor_parallel_size", "expert_parallel_size"):
        if (cfg.get(key) or 1) > 1:
            return key
    return None
