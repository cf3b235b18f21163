"""An Axolotl plugin for tests: lets accelerate split a model over CPU processes, as it does over GPUs.

accelerate 1.13 takes FSDP and DeepSpeed for accelerators only; on CPU processes it would train whole copies, or each
process alone. With the CPU declared an accelerator, everything else runs as it is: Axolotl's, accelerate's, torch's and
this package's code.
"""

from __future__ import annotations

import os
from typing import Any

from accelerate import ParallelismConfig, PartialState
from accelerate.utils import DistributedType
from axolotl.integrations.base import BasePlugin


class SplitOnTheCpu(BasePlugin):
    """Each process is one that accelerate takes for a GPU's, with the CPU as its device and gloo between them."""

    def register(self, cfg: Any) -> None:
        if os.environ.get("WORLD_SIZE", "1") == "1":
            return  # the test itself reads the recipe
        os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
        PartialState._prepare_backend = lambda *_, **__: ("gloo", DistributedType.MULTI_GPU)
        build = ParallelismConfig.build_device_mesh
        ParallelismConfig.build_device_mesh = lambda config, _: build(config, "cpu")  # Axolotl says "cuda"
        if not cfg.get("deepspeed"):
            PartialState()
            return
        # DeepSpeed opens the group itself; it would first compile, for minutes, a faster way between CPU processes.
        import deepspeed.ops

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
