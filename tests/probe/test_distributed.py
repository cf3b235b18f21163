"""Two real processes over gloo, as torchrun starts them on two GPUs over NCCL."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ROOT


def train(model: Path, output: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "tests.probe.ddp_training", str(model), str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=85,
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    results = [json.loads(line) for line in re.findall(r"RESULT (\{.*?\})", done.stdout)]
    return sorted(results, key=lambda one: one["rank"])


@pytest.mark.slow
def test_the_first_process_probes_and_nobody_waits_for_ever(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = train(tiny[0], tmp_path)
    assert (first["world"], first["steps"], second["steps"]) == (2, 4, 4)
    assert (first["probed"], second["probed"]) == ([2, 4], [])
    assert first["weights"] == second["weights"]
    steps = [json.loads(line)["step"] for line in (tmp_path / "probe.jsonl").read_text().splitlines()]
    assert steps == [2, 4]


def test_split_weights_are_not_probed() -> None:
    from accelerate import ParallelismConfig

    from axolotl_alttrain.probe.sharding import split_by

    def trainer(stage: int | None = None, parallel: Any = None, fsdp: bool = False, **cfg: int) -> Any:
        plugin = None if stage is None else SimpleNamespace(zero_stage=stage)
        accelerator = SimpleNamespace(state=SimpleNamespace(deepspeed_plugin=plugin), parallelism_config=parallel)
        return SimpleNamespace(is_fsdp_enabled=fsdp, accelerator=accelerator, axolotl_cfg=cfg)

    assert split_by(trainer()) is None
    assert split_by(trainer(stage=2, parallel=ParallelismConfig(dp_replicate_size=2), context_parallel_size=1)) is None
    assert split_by(trainer(fsdp=True)) == "FSDP"
    assert split_by(trainer(stage=3)) == "DeepSpeed ZeRO-3"
    assert split_by(trainer(parallel=ParallelismConfig(tp_size=2))) == "parallelism over 'tp'"
    assert split_by(trainer(context_parallel_size=2)) == "context_parallel_size"
