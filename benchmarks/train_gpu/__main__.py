"""Memory and speed of the recipes on one CUDA GPU, against the authors' set-up: ``python -m benchmarks.train_gpu``.

No network and no weights: each model has its real architecture and random weights. For every recipe two trainings run
one after the other on the same card, each in a process of its own, on the seed data through Axolotl's own path:

(a) the authors' set-up: 4-bit base, LoRA r=16, batch of 8 padded to its longest row, stock kernels, with and without
    gradient checkpointing (their code's choice is not known);
(b) the recipe.

The allocator is capped at the memory of the card that the recipe is for, so that fitting is shown. Token lengths are
SmolLM2's, whose tokenizer a package carries. ``--dry-run`` does all of this with a tiny model on the CPU, where no
number means anything.
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

from axolotl_alttrain.fit.architecture import read_architecture
from axolotl_alttrain.fit.duration import flops_per_token
from axolotl_alttrain.fit.memory import GIB, memory_parts, read_model
from axolotl_alttrain.generation.demo_model import prepare
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.recipes import card_of

from .blank_model import write_blank_checkpoint

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parents[1] / "results"
RECIPES = ("alttrain-1.5b", "alttrain-7b", "alttrain-8b", "alttrain-8b-24gb", "alttrain-8b-lora", "alttrain-14b",
           "alttrain-32b")  # fmt: skip
PACKAGES = ("axolotl", "torch", "transformers", "peft", "bitsandbytes", "liger-kernel")
_KERNELS = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel")
_LIGER = ("liger_rope", "liger_rms_norm", "liger_fused_linear_cross_entropy")
_ON_CPU = {"bf16": False, "fp16": False, "tf32": False, **dict.fromkeys((*_KERNELS, *_LIGER), False)}
SETUPS = ("authors", "authors, checkpointing", "recipe")


def config_for(setup: str, recipe: dict[str, Any], model: Path, steps: int, dry: bool) -> dict[str, Any]:
    """The config of one training: the recipe, or the authors' set-up on the same data and batch size."""
    cfg = dict(recipe)
    if setup != "recipe":
        rows = cfg.pop("sample_packing_bin_size") * cfg["micro_batch_size"]
        cfg |= {"sample_packing": False, "micro_batch_size": rows, "load_in_4bit": True, "adapter": "qlora"}
        cfg |= dict.fromkeys(_KERNELS, False)
        cfg["plugins"] = [name for name in cfg["plugins"] if "liger" not in name]
        cfg = {key: value for key, value in cfg.items() if key not in (*_LIGER, "sdpa_varlen")}
        cfg["gradient_checkpointing"] = "checkpointing" in setup
    if dry:
        cfg |= {key: value for key, value in _ON_CPU.items() if not key.startswith("liger") or key in cfg}
        cfg["optimizer"] = "adamw_torch"
    cfg |= {
        # Relative to the worker's folder: Axolotl takes a path with "mpt" in it, such as /tmp/tmpt5x, for an MPT model.
        "base_model": model.name,
        "max_steps": steps,
        "save_strategy": "no",
        "output_dir": str(model.parent / "out"),
    }
    return cfg | {"dataset_prepared_path": str(model.parent / "prepared"), "logging_steps": 1}


def train(cfg: dict[str, Any], folder: Path, warmup: int, cap_gib: float | None) -> dict[str, Any]:
    """Run one training in a process of its own; what it raised, where it failed."""
    path, out = folder / "recipe.yml", folder / "measured.json"
    path.write_text(yaml.safe_dump(cfg), encoding="utf-8")
    out.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "benchmarks.train_gpu.worker",
        str(path),
        "--out",
        str(out),
        "--warmup",
        str(warmup),
    ]
    command += ["--cap-gib", str(cap_gib)] if cap_gib else []
    path_with_us = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path_with_us}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if not out.exists():
        # A validation error ends with a link, which says nothing of what failed.
        lines = [line for line in done.stderr.splitlines() if line.strip() and "For further information" not in line]
        return {"failed": (lines or [f"exit code {done.returncode}"])[-1][:300]}
    return json.loads(out.read_text(encoding="utf-8"))


def matrix_tflops(size: int = 8192, repeats: int = 30) -> float:
    """The rate of a large bfloat16 matrix product on this card, in 10^12 operations a second."""
    import torch

    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for _ in range(5):
        a @ b
    start.record()
    for _ in range(repeats):
        a @ b
    end.record()
    torch.cuda.synchronize()
    return 2 * size**3 * repeats / (start.elapsed_time(end) / 1000) / 1e12


def measure_recipe(name: str, steps: int, warmup: int, dry: bool, tflops: float | None) -> dict[str, Any]:
    """All set-ups of one recipe."""
    from axolotl.utils.dict import DictDefault

    path = ROOT / "examples" / f"{name}.yml"
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    gpu = card_of(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {"recipe": name, "card": gpu.name, "capped_gib": gpu.memory, "setups": {}}
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model"
        model.mkdir()
        config = tiny_config() if dry else read_architecture(DictDefault(_shipped(recipe)))
        write_blank_checkpoint(config, model)
        for file in prepare().glob("token*"):
            (model / file.name).write_bytes(file.read_bytes())
        for extra in prepare().glob("chat_template*"):
            (model / extra.name).write_bytes(extra.read_bytes())
        for setup in SETUPS:
            print(f"{name}: {setup} ...", flush=True)
            cfg = config_for(setup, recipe, model, steps, dry)
            measured = train(cfg, Path(scratch), warmup, None if dry else gpu.memory)
            if "failed" not in measured:
                compare_with_fit(measured, config, DictDefault(cfg), tflops)
            found["setups"][setup] = measured
    return found


def compare_with_fit(measured: dict[str, Any], config: Any, cfg: Any, tflops: float | None) -> None:
    """Add the estimate for the same largest pass, and the share of the card's matrix rate that was reached."""
    model = read_model(config, cfg)
    measured["estimated_gib"] = sum(p.bytes for p in memory_parts(model, cfg, measured["largest_pass"])) / GIB
    if tflops:
        computed = measured["tokens_per_second"] * (1 + measured["padding"])
        measured["share_of_matrix_rate"] = computed * flops_per_token(model, cfg) / (tflops * 1e12)


def tiny_config() -> Any:
    """A Llama of two layers with SmolLM2's vocabulary, for the dry run."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=49_152, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=False,
    )  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """The results as a table; what was not measured says so."""
    if not results.get("recipes"):
        return "Not yet measured: `python -m benchmarks.train_gpu` needs one CUDA GPU.\n"
    text = f"{results['gpu']}, {results['date']}, {', '.join(f'{k} {v}' for k, v in results['versions'].items())}; "
    text += f"bfloat16 matrix product {results['matrix_tflops']:.0f} TFLOPS; {results['steps']} steps each.\n\n"
    text += "| recipe | capped at, GiB | set-up | peak, GiB | estimated "
    text += "| rows/s | authors = 1 | tokens/s | matrix rate |\n"
    text += "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    for one in results["recipes"]:
        base = one["setups"]["authors"].get("rows_per_second")
        for setup, m in one["setups"].items():
            row = f"| {one['recipe']} | {one['capped_gib']} | {setup} | "
            if "failed" in m:
                text += f"{row}{m['failed']} | | | | | |\n"
                continue
            ratio = f"{m['rows_per_second'] / base:.2f}" if base else ""
            share = f"{100 * m['share_of_matrix_rate']:.0f} %" if "share_of_matrix_rate" in m else ""
            peak = f"{m['peak_gib']:.1f}" if m["peak_gib"] else "-"
            text += f"{row}{peak} | {m['estimated_gib']:.1f} | {m['rows_per_second']:.1f} | {ratio} | "
            text += f"{m['tokens_per_second']:.0f} | {share} |\n"
    return text


def _shipped(recipe: dict[str, Any]) -> dict[str, Any]:
    from axolotl_alttrain.fit.architecture import shipped_config

    return {**recipe, "base_model_config": str(shipped_config(recipe["base_model"]) or recipe["base_model"])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES, metavar="RECIPE")
    parser.add_argument("--steps", type=int, default=35, help="default: %(default)s")
    parser.add_argument("--warmup", type=int, default=5, help="steps that do not count (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for train_gpu.json and .md")
    parser.add_argument("--dry-run", action="store_true", help="a tiny model on the CPU; its numbers mean nothing")
    args = parser.parse_args()
    import torch

    if not args.dry_run and not torch.cuda.is_available():
        print("benchmarks.train_gpu: found no CUDA GPU; run it on one, or try --dry-run --out FOLDER", file=sys.stderr)
        return 1
    if args.dry_run and args.out == RESULTS:
        print("benchmarks.train_gpu: --dry-run needs --out; its numbers are no results", file=sys.stderr)
        return 1
    tflops = None if args.dry_run else matrix_tflops()
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "gpu": "CPU, dry run" if args.dry_run else torch.cuda.get_device_name(),
        "versions": {name: version(name) for name in PACKAGES},
        "matrix_tflops": tflops or 0.0,
        "steps": args.steps,
        "recipes": [],
    }
    for name in args.recipes:
        results["recipes"].append(measure_recipe(name, args.steps, args.warmup, args.dry_run, tflops))
        # After each, so that an interruption loses one recipe at most.
        write_atomic(args.out / "train_gpu.json", json.dumps(results, indent=2) + "\n")
        write_atomic(args.out / "train_gpu.md", markdown(results))
    print(markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
