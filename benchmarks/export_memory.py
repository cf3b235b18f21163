"""Peak memory of an export: a blank 8B model with a LoRA adapter on all linear layers, exported as trained.

    python -m benchmarks.export_memory                  # DeepSeek-R1-Distill-Llama-8B, bfloat16
    python -m benchmarks.export_memory --model Qwen/Qwen3-8B --folder /mnt/large

The base is a file of zeros that takes no space on the disk; the export takes 16 GB, and both are deleted afterwards.
The export runs in a process of its own. Its peak is the largest resident set that the operating system reports. Pages
of the base's file that are mapped into the process count in it although they can be dropped at any time, so the
anonymous part, sampled five times a second, stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from axolotl_alttrain.storage.atomic import write_atomic

from .train_gpu.blank_model import write_blank_checkpoint

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "safetensors")
MODEL = "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"
GIB = 1 << 30


def write_sources(model: str, folder: Path, rank: int) -> tuple[Path, Path]:
    """A blank base and an adapter on it.

    Args:
        model: One whose config this package ships.
        folder: Where to.
        rank: Of the LoRA, on all linear layers.

    Returns:
        The base's folder and the adapter's.
    """
    import torch
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM

    from axolotl_alttrain.fit.architecture import shipped_config
    from axolotl_alttrain.generation.demo_model import prepare
    from axolotl_alttrain.generation.quantization import NF4

    base, adapter = folder / "base", folder / "adapter"
    base.mkdir()
    adapter.mkdir()
    config = AutoConfig.from_pretrained(str(shipped_config(model)))
    write_blank_checkpoint(config, base)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    lora = LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(empty, lora)
    lora.base_model_name_or_path = str(base)
    torch.manual_seed(0)
    state = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    tensors = {name: torch.randn(one.shape, dtype=torch.bfloat16) * 0.02 for name, one in state.items()}
    save_file(tensors, adapter / "adapter_model.safetensors")
    lora.save_pretrained(str(adapter))
    quantized = {**NF4, "bnb_4bit_compute_dtype": "bfloat16", "bnb_4bit_quant_storage": "bfloat16"}
    trained = config.to_dict() | {"dtype": "bfloat16", "quantization_config": quantized}
    (adapter / "config.json").write_text(json.dumps(trained, default=str), encoding="utf-8")
    for file in prepare().glob("*token*"):  # any tokenizer; the config's vocabulary counts
        shutil.copy(file, adapter)
    for file in prepare().glob("*.jinja"):
        shutil.copy(file, adapter)
    return base, adapter


def measure(adapter: Path, target: Path) -> dict[str, Any]:
    """Export in a process of its own; its peak memory in GiB and its seconds."""
    command = [sys.executable, "-m", "axolotl.cli.main", "alttrain", "export", str(adapter), "--to", str(target)]
    start = time.monotonic()
    with subprocess.Popen(command, env={**os.environ, "AXOLOTL_DO_NOT_TRACK": "1"}) as running:
        peak = {"VmHWM": 0, "RssAnon": 0}
        while running.poll() is None:
            for name, kib in _status(running.pid).items():
                peak[name] = max(peak[name], kib)
            time.sleep(0.2)
    if running.returncode:
        raise SystemExit(f"benchmarks.export_memory: the export failed with exit code {running.returncode}")
    size = sum(file.stat().st_size for file in target.glob("*.safetensors"))
    return {
        "seconds": round(time.monotonic() - start, 1),
        "peak_resident_gib": round(peak["VmHWM"] * 1024 / GIB, 2),
        "peak_anonymous_gib": round(peak["RssAnon"] * 1024 / GIB, 2),
        "written_gib": round(size / GIB, 2),
    }


def table(found: dict[str, Any]) -> str:
    """The result as a Markdown table."""
    return (
        "| model | weights written, GiB | peak resident set, GiB | of it anonymous, GiB | minutes |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        f"| {found['model']} | {found['written_gib']:.1f} | {found['peak_resident_gib']:.1f} | "
        f"{found['peak_anonymous_gib']:.1f} | {found['seconds'] / 60:.0f} |\n"
    )


def _status(pid: int) -> dict[str, int]:
    """Memory of a process in KiB, from ``/proc``; empty once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    fields = (line.split(":", 1) for line in lines if line.startswith(("VmHWM:", "RssAnon:")))
    return {name: int(value.split()[0]) for name, value in fields}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write ``results/export_memory.json`` and ``.md``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="where the weights are written (default: a temporary folder)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="export-memory-") as scratch:
        _, adapter = write_sources(args.model, Path(scratch), args.rank)
        found = {"model": args.model, "rank": args.rank, **measure(adapter, Path(scratch) / "out")}
    found |= {"date": datetime.now(UTC).date().isoformat(), "versions": {name: version(name) for name in PACKAGES}}
    write_atomic(RESULTS / "export_memory.json", json.dumps(found, indent=2) + "\n")
    write_atomic(RESULTS / "export_memory.md", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
