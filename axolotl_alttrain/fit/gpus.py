"""GPUs by name, with figures from their data sheets, and the number that a recipe needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import AltTrainError


@dataclass(frozen=True)
class Gpu:
    """One GPU model.

    Attributes:
        name: Product name.
        memory: Memory available to programs, in GiB.
        tflops: Dense bfloat16 matrix rate with float32 accumulation, in 10^12 operations per second.
        bandwidth: Memory bandwidth, in 10^9 bytes per second.
        compute_capability: In torch's notation.
    """

    name: str
    memory: float
    tflops: float
    bandwidth: float
    compute_capability: str

    def capabilities(self, number: int = 1) -> dict[str, Any]:
        """What Axolotl's validation needs to know about a machine with this many of them."""
        generation = int(self.compute_capability.removeprefix("sm_"))
        return {
            "bf16": True,
            "fp8": generation >= 89,
            "tf32": True,
            "n_gpu": number,
            "n_node": 1,
            "compute_capability": self.compute_capability,
        }


# Rates: NVIDIA's data sheets and architecture papers, without sparsity. Memory: nvidia-smi's total in MiB / 1024.
GPUS = {
    "a6000": Gpu("RTX A6000", 47.5, 154.8, 768, "sm_86"),
    "a40": Gpu("A40", 44.5, 149.7, 696, "sm_86"),
    "6000ada": Gpu("RTX 6000 Ada", 47.5, 364.2, 960, "sm_89"),
    "l40s": Gpu("L40S", 44.5, 362.1, 864, "sm_89"),
    "3090": Gpu("RTX 3090", 23.6, 71.0, 936, "sm_86"),
    "4090": Gpu("RTX 4090", 23.6, 165.2, 1008, "sm_89"),
    "5090": Gpu("RTX 5090", 31.4, 209.5, 1792, "sm_120"),
    "a10": Gpu("A10", 22.5, 125.0, 600, "sm_86"),
    "l4": Gpu("L4", 22.5, 121.0, 300, "sm_89"),
    "a100-40": Gpu("A100 40 GB", 39.4, 312.0, 1555, "sm_80"),
    "a100-80": Gpu("A100 80 GB", 79.3, 312.0, 2039, "sm_80"),
    "h100": Gpu("H100 SXM", 79.2, 989.4, 3350, "sm_90"),
    "h200": Gpu("H200 SXM", 139.8, 989.4, 4800, "sm_90"),
    "b200": Gpu("B200", 178.0, 2250.0, 8000, "sm_100"),
}


def find_gpu(name: str) -> Gpu:
    """The GPU with a name such as ``a6000`` or ``A100-40``.

    Raises:
        AltTrainError: The name is unknown.
    """
    key = name.lower().replace(" ", "").removeprefix("rtx").removeprefix("-")
    if key not in GPUS:
        raise AltTrainError(f"--gpu: found {name!r}; allowed: {', '.join(GPUS)}")
    return GPUS[key]


def is_sharded(cfg: Any) -> bool:
    """Whether weights are sharded over the GPUs: FSDP or DeepSpeed ZeRO-3."""
    if cfg.fsdp_config:
        return True
    if isinstance(cfg.deepspeed, dict):
        return (cfg.deepspeed.get("zero_optimization") or {}).get("stage") == 3
    return "zero3" in str(cfg.deepspeed or "")


def needed_gpus(cfg: Any) -> int:
    """The number of GPUs a recipe is written for: Ray's workers, two for sharded weights, otherwise one."""
    if cfg.use_ray:
        return int(cfg.ray_num_workers or 1)
    return 2 if is_sharded(cfg) else 1
