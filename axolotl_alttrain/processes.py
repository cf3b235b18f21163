"""Several training processes: who is the first, and what they need to work together on a CPU."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from axolotl_alttrain.errors import AltTrainError


def is_first_process() -> bool:
    """Whether this is the only training process, or the first over all nodes."""
    return os.environ.get("RANK", "0") == "0"


def number_of_processes() -> int:
    """Training processes over all nodes, as the launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_on_the_cpu(cfg: Any) -> None:
    """Let several processes train together where there is no accelerator; otherwise do nothing.

    Axolotl 0.19 to 0.21 do not tell the trainer to use the CPU: each process would train alone, and all would write to
    one folder. They also map the weights of each process to a GPU.

    Args:
        cfg: The config as Axolotl has completed it.

    Raises:
        AltTrainError: The config splits the model over processes, which accelerate does on accelerators only.
    """
    import torch

    if number_of_processes() == 1 or torch.accelerator.is_available():
        return
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    cfg.device_map = {"": "cpu"}
    state = PartialState(cpu=True, timeout=timedelta(seconds=cfg.ddp_timeout or 1800))
    whole = state.distributed_type in (DistributedType.NO, DistributedType.MULTI_CPU)
    if not whole and state.num_processes == number_of_processes():
        return  # they have been joined in another way
    splitting = next((key for key in ("fsdp_config", "deepspeed") if cfg.get(key)), None)
    if splitting:
        raise AltTrainError(
            f"{splitting}: accelerate splits a model over GPUs only, and there is none here; remove '{splitting}' to "
            f"train a whole copy in each of the {number_of_processes()} processes"
        )
    os.environ["ACCELERATE_USE_CPU"] = "true"  # read by the trainer's arguments
