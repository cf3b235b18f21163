"""Training on a Ray cluster, ``use_ray: true``: what Axolotl 0.19 to 0.21 leave to be set right.

Axolotl's driver completes the config and sends it to the workers, which run in folders of Ray's.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_OUTPUTS = ("output_dir", "dataset_prepared_path")
_MODELS = ("base_model", "base_model_config", "tokenizer_config")


def prepare_driver(cfg: Any) -> None:
    """Make a raw config mean the same in every worker. Does nothing in a worker, where that has happened.

    - Relative paths would be looked up, and the adapter saved, in Ray's own folders.
    - The driver, a single process, would send ``ddp: false``. Workers then count the steps of one process and train
      the data as often as there are workers.
    - Without a GPU in ``resources_per_worker`` Axolotl asks for GPU workers all the same, which a cluster without GPUs
      never starts.

    Args:
        cfg: The config before validation.
    """
    for key in _OUTPUTS:
        if cfg.get(key):
            cfg[key] = os.path.abspath(cfg[key])
    for key in _MODELS:
        if cfg.get(key):
            cfg[key] = _if_local(cfg[key])
    for entry in [*(cfg.get("datasets") or []), *(cfg.get("test_datasets") or [])]:
        if entry.get("path"):
            entry["path"] = _if_local(entry["path"])
    if cfg.get("ddp") is None and int(cfg.get("ray_num_workers") or 1) > 1:
        cfg["ddp"] = True
    resources = cfg.get("resources_per_worker")
    # Without Ray the recipe can still be previewed and estimated.
    if resources and not resources.get("GPU") and find_spec("ray") is not None:
        import ray.train

        scaling = ray.train.ScalingConfig
        ray.train.ScalingConfig = lambda **options: scaling(**options | {"use_gpu": False})


def set_batch_size(cfg: Any) -> None:
    """The rows of a step, which ``axolotl preprocess`` divides by and Axolotl leaves for the workers to set.

    Args:
        cfg: The config as Axolotl has completed it.
    """
    cfg.gradient_accumulation_steps = cfg.gradient_accumulation_steps or cfg.batch_size // cfg.micro_batch_size
    cfg.batch_size = cfg.batch_size or cfg.micro_batch_size * cfg.gradient_accumulation_steps


def _if_local(path: str) -> str:
    return os.path.abspath(path) if Path(path).exists() else path
