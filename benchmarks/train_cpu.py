"""The demo recipe against a plain TRL loop on the same rows, on the CPU: ``python -m benchmarks.train_cpu``.

Both train SmolLM2-135M with NF4 weights and LoRA r=16 on the rows that the recipe keeps, in batches of 4 rows, with two
threads, one after the other in processes of their own. TRL's loop is its ``SFTTrainer`` with LoRA on all layers and
batches padded to their longest row: what a user would write first. It gets the rows tokenized by our strategy, since
its own masking is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.storage.atomic import write_atomic

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"
WAYS = {"recipe": "the demo recipe", "trl": "TRL's SFTTrainer"}
PACKAGES = ("axolotl", "trl", "torch", "transformers", "peft", "bitsandbytes")
_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def train_recipe(steps: int, warmup: int, folder: Path) -> dict[str, Any]:
    """The demo recipe for so many steps."""
    from .train_gpu.worker import run

    cfg = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    cfg |= {"max_steps": steps, "output_dir": str(folder / "out"), "dataset_prepared_path": str(folder / "prepared")}
    path = folder / "recipe.yml"
    path.write_text(yaml.safe_dump(cfg), encoding="utf-8")
    return run(path, warmup, random=False)


def train_trl(steps: int, warmup: int, folder: Path) -> dict[str, Any]:
    """TRL's loop over the same tokenized rows for so many steps."""
    import torch
    from axolotl.common.datasets import load_datasets
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from axolotl_alttrain.cli.recipe import load_config
    from axolotl_alttrain.generation.quantization import NF4, bitsandbytes_config

    from .train_gpu.worker import Timer

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    cfg = load_config(RECIPE, this_machine=True)
    cfg.dataset_prepared_path = str(folder / "prepared")
    rows = load_datasets(cfg=cfg).train_dataset.select_columns(["input_ids", "labels"])
    quantization = bitsandbytes_config(NF4, on_gpu=False)
    model = AutoModelForCausalLM.from_pretrained(cfg.base_model, quantization_config=quantization, dtype=torch.float32)
    options = SFTConfig(
        output_dir=str(folder / "out"), max_steps=steps, per_device_train_batch_size=4, learning_rate=1.5e-3,
        lr_scheduler_type="cosine", warmup_steps=5, seed=1995, save_strategy="no", logging_steps=5, report_to=[],
        use_cpu=True, bf16=False, gradient_checkpointing=False, dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    trainer = SFTTrainer(
        model=model,
        args=options,
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(cfg.base_model),
        peft_config=LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=_LINEAR, task_type="CAUSAL_LM"),
    )
    timer = Timer()
    timer.attach(trainer)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {**timer.rates(warmup), "last_loss": losses[-1] if losses else None}


def markdown(results: dict[str, Any]) -> str:
    """The results as a table."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    text = f"{results['date']}, {results['threads']} threads, {results['steps']} steps each after "
    text += f"{results['warmup']} that do not count; {versions}.\n\n"
    text += "| way | trained tokens/s | recipe = 1 | tokens/s | rows/s | padding |\n"
    text += "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    first = results["ways"]["recipe"]["trained_tokens_per_second"]
    for way, m in results["ways"].items():
        text += (
            f"| {WAYS[way]} | {m['trained_tokens_per_second']:.1f} | {m['trained_tokens_per_second'] / first:.2f} | "
        )
        text += f"{m['tokens_per_second']:.1f} | {m['rows_per_second']:.2f} | {100 * m['padding']:.0f} % |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=24, help="default: %(default)s")
    parser.add_argument("--warmup", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for train_cpu.json and .md")
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        with tempfile.TemporaryDirectory() as scratch:
            way = {"recipe": train_recipe, "trl": train_trl}[args.worker]
            measured = way(args.steps + args.warmup, args.warmup, Path(scratch))
        write_atomic(args.out, json.dumps(measured))
        return
    ways = {}
    with tempfile.TemporaryDirectory() as scratch:
        for way in WAYS:
            out = Path(scratch) / f"{way}.json"
            command = [sys.executable, "-m", "benchmarks.train_cpu", "--worker", way, "--out", str(out)]
            command += ["--steps", str(args.steps), "--warmup", str(args.warmup)]
            subprocess.run(command, cwd=ROOT, check=True)
            ways[way] = json.loads(out.read_text(encoding="utf-8"))
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "threads": len(os.sched_getaffinity(0)),
        "steps": args.steps,
        "warmup": args.warmup,
        "versions": {name: version(name) for name in PACKAGES},
        "ways": ways,
    }
    write_atomic(args.out / "train_cpu.json", json.dumps(results, indent=2) + "\n")
    write_atomic(args.out / "train_cpu.md", markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
