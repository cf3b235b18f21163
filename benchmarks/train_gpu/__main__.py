"""Memory and speed of the recipes on one CUDA GPU, against the authors' set-up: ``python -m benchmarks.train_gpu``.

    python -m benchmarks.train_gpu --recipes alttrain-8b "alttrain-14b=recipe"   # of the second, one set-up

No network and no weights: each model has its real architecture and random weights. Every recipe is trained in four
set-ups, each in a process of its own, through Axolotl's own path:

- ``authors``: the authors' set-up, a 4-bit base, LoRA r=16, a batch of 8 padded to its longest row, stock kernels;
- ``authors, checkpointing``: the same with gradient checkpointing, since their code's choice is not known;
- ``recipe``: the recipe, on the seed data like the two above;
- ``recipe, full rows``: the recipe with rows that fill its passes, the most memory that it can need.

The allocator is capped at the memory of the card that the recipe is for, so that fitting is shown. Set-ups may load
side by side; they train one after the other. Token lengths are SmolLM2's, whose tokenizer a package carries.
``--dry-run`` does all of this with a tiny model on the CPU, where no number means anything. A run on the same card with
the same packages adds to the results that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from .results import add, markdown, measured_before
from .setups import FULL, SETUPS, config_for, write_full_rows
from .trainings import ROOT, Training, train_in_turn

RESULTS = Path(__file__).parents[1] / "results"
RECIPES = ("alttrain-1.5b", "alttrain-7b", "alttrain-8b", "alttrain-8b-24gb", "alttrain-8b-lora", "alttrain-14b",
           "alttrain-32b")  # fmt: skip
PACKAGES = ("axolotl", "torch", "transformers", "peft", "bitsandbytes", "liger-kernel")


@dataclass(frozen=True)
class Options:
    """How all trainings run; ``tflops`` and ``context_gib`` are the card's, None and 0 without one."""

    steps: int
    warmup: int
    side_by_side: int
    dry: bool
    tflops: float | None = None
    context_gib: float = 0.0


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


def context_gib() -> float:
    """The memory that a CUDA context takes on this card, in GiB; nothing else may use the card now."""
    import torch

    torch.zeros(1, device="cuda")
    free, total = torch.cuda.mem_get_info()
    return (total - free - torch.cuda.memory_reserved()) / GIB


def measure_recipe(name: str, setups: Sequence[str], options: Options) -> dict[str, Any]:
    """The set-ups of one recipe."""
    from axolotl.utils.dict import DictDefault

    path = ROOT / "examples" / f"{name}.yml"
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    gpu = card_of(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {"recipe": name, "card": gpu.name, "capped_gib": gpu.memory, "setups": {}}
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model"
        model.mkdir()
        config = tiny_config() if options.dry else read_architecture(DictDefault(_shipped(recipe)))
        write_blank_checkpoint(config, model)
        for file in (*prepare().glob("token*"), *prepare().glob("chat_template*")):
            (model / file.name).write_bytes(file.read_bytes())
        if FULL in setups:
            write_full_rows(Path(scratch) / "full.jsonl", model, recipe["sequence_len"], options.steps)
        trainings = []
        for setup in setups:
            cfg = config_for(setup, recipe, model, options.steps, options.dry)
            cap = None if options.dry else gpu.memory
            trainings.append(Training(name, setup, cfg, Path(scratch), options.warmup, cap, options.context_gib))
        for start in range(0, len(trainings), options.side_by_side):
            group = trainings[start : start + options.side_by_side]
            print(f"{name}: {'; '.join(one.setup for one in group)} ...", flush=True)
            for one, measured in zip(group, train_in_turn(group), strict=True):
                if "failed" not in measured:
                    compare_with_fit(measured, config, DictDefault(one.cfg), options.tflops)
                found["setups"][one.setup] = measured
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


def _shipped(recipe: dict[str, Any]) -> dict[str, Any]:
    from axolotl_alttrain.fit.architecture import shipped_config

    return {**recipe, "base_model_config": str(shipped_config(recipe["base_model"]) or recipe["base_model"])}


def chosen(argument: str) -> tuple[str, list[str]]:
    """``NAME`` or ``NAME=SETUP;SETUP`` as the recipe's name and its set-ups."""
    name, _, listed = argument.partition("=")
    setups = listed.split(";") if listed else list(SETUPS)
    if name not in RECIPES or any(setup not in SETUPS for setup in setups):
        raise argparse.ArgumentTypeError(
            f"{argument} is no recipe or set-up; recipes: {', '.join(RECIPES)}; set-ups: {'; '.join(SETUPS)}"
        )
    return name, setups


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.train_gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recipes = [chosen(name) for name in RECIPES]
    p.add_argument("--recipes", nargs="+", type=chosen, default=recipes, metavar="RECIPE[=SETUP[;SETUP]]")
    p.add_argument("--steps", type=int, default=35, help="default: %(default)s")
    p.add_argument("--warmup", type=int, default=5, help="steps that do not count (default: %(default)s)")
    p.add_argument("--side-by-side", type=int, default=1, metavar="N", help="set-ups that load together (default: 1)")
    p.add_argument("--out", type=Path, default=RESULTS, help="folder for train_gpu.json and .md")
    p.add_argument("--dry-run", action="store_true", help="a tiny model on the CPU; its numbers mean nothing")
    return p


def main() -> int:
    args = parser().parse_args()
    import torch

    if not args.dry_run and not torch.cuda.is_available():
        print("benchmarks.train_gpu: found no CUDA GPU; run it on one, or try --dry-run --out FOLDER", file=sys.stderr)
        return 1
    if args.dry_run and args.out == RESULTS:
        print("benchmarks.train_gpu: --dry-run needs --out; its numbers are no results", file=sys.stderr)
        return 1
    options = Options(args.steps, args.warmup, args.side_by_side, args.dry_run)
    if not args.dry_run:
        options = replace(options, context_gib=context_gib(), tflops=matrix_tflops())
        torch.cuda.empty_cache()
    results: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "gpu": "CPU, dry run" if args.dry_run else torch.cuda.get_device_name(),
        "versions": {name: version(name) for name in PACKAGES},
        "matrix_tflops": options.tflops or 0.0,
        "steps": args.steps,
        "recipes": [],
    }
    results["recipes"] = measured_before(args.out / "train_gpu.json", results)
    for name, setups in args.recipes:
        measured = measure_recipe(name, setups, options)
        add(results["recipes"], measured)
        # After each, so that an interruption loses one recipe at most.
        write_atomic(args.out / "train_gpu.json", json.dumps(results, indent=2) + "\n")
        write_atomic(args.out / "train_gpu.md", markdown(results))
    print(markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
