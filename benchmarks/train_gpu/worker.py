"""One training for the benchmarks: a config through Axolotl's own path, its steps timed, in a process of its own."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axolotl_alttrain.storage.atomic import write_atomic

from .blank_model import randomize

GIB = 1 << 30


class Timer:
    """What the steps of a training took and held.

    Attributes:
        seconds: Of each forward and backward pass with its optimizer step.
        rows, tokens, trained, computed: Of each pass: rows, their tokens, those with loss, and those with padding.
        allocated, reserved: The most that a step allocated and reserved on the GPU, in bytes.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.rows: list[int] = []
        self.tokens: list[int] = []
        self.trained: list[int] = []
        self.computed: list[int] = []
        self.allocated = self.reserved = 0
        self.started = time.perf_counter()

    def attach(self, trainer: Any) -> None:
        """Count the inputs of every pass of a trainer, and time its steps."""
        import torch
        from transformers import TrainerCallback

        timer, step = self, trainer.training_step

        def training_step(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            timer.count(inputs)
            return step(model, inputs, *args, **kwargs)

        class Steps(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                timer.started = time.perf_counter()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                timer.seconds.append(time.perf_counter() - timer.started)
                if torch.cuda.is_available():  # Axolotl resets both counters whenever it logs
                    timer.allocated = max(timer.allocated, torch.cuda.max_memory_allocated())
                    timer.reserved = max(timer.reserved, torch.cuda.max_memory_reserved())

        trainer.training_step = training_step
        trainer.add_callback(Steps())

    def count(self, inputs: Any) -> None:
        """Rows and tokens of one batch, packed or padded; a packed row starts where its positions start again."""
        ids, labels = inputs["input_ids"], inputs["labels"]
        mask, positions = inputs.get("attention_mask"), inputs.get("position_ids")
        self.computed.append(ids.numel())
        self.tokens.append(int((mask != 0).sum()) if mask is not None else ids.numel())
        self.trained.append(int((labels != -100).sum()))
        self.rows.append(int((positions == 0).sum()) if positions is not None else len(ids))

    def rates(self, warmup: int) -> dict[str, Any]:
        """What was counted after the first ``warmup`` steps, for each second."""
        steps, seconds = len(self.seconds) - warmup, sum(self.seconds[warmup:])
        first = warmup * (len(self.rows) // max(1, len(self.seconds)))
        rows, tokens, trained, computed = (
            sum(counted[first:]) for counted in (self.rows, self.tokens, self.trained, self.computed)
        )
        return {
            "steps": steps,
            "seconds": seconds,
            "rows_per_step": rows / max(1, steps),
            "rows_per_second": rows / seconds,
            "tokens_per_second": tokens / seconds,
            "trained_tokens_per_second": trained / seconds,
            "padding": computed / tokens - 1,
            "largest_pass": max(self.computed),
        }


def run(
    recipe: Path,
    warmup: int,
    *,
    cap_gib: float | None = None,
    context_gib: float = 0.0,
    random: bool = True,
    wait: Callable[[float], object] = lambda held_gib: None,
) -> dict[str, Any]:
    """Train as the recipe says and return what was measured after the first ``warmup`` steps.

    Args:
        recipe: A YAML file.
        warmup: Steps that do not count.
        cap_gib: What the process may allocate on the GPU, its context included; more ends in out of memory.
        context_gib: The memory of a CUDA context on this card.
        random: Draw the weights of ``base_model``, a blank checkpoint, at random.
        wait: Called before the first step with the GiB that the process holds; training starts when it returns.
    """
    import torch
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets
    from axolotl.loaders.model import ModelLoader
    from axolotl.train import setup_model_and_trainer
    from axolotl.utils import set_pytorch_cuda_alloc_conf

    set_pytorch_cuda_alloc_conf()  # as `axolotl train` does; read at the first allocation
    on_gpu = torch.cuda.is_available()
    if on_gpu and cap_gib:
        total = torch.cuda.mem_get_info()[1]
        torch.cuda.set_per_process_memory_fraction(min(1.0, (cap_gib - context_gib) * GIB / total))
    if random:
        load = ModelLoader._load_model_from_pretrained

        def load_random(self: Any, *args: Any) -> Any:
            model = load(self, *args)
            randomize(model)
            return model

        ModelLoader._load_model_from_pretrained = load_random
    cfg = load_cfg(str(recipe))
    data = load_datasets(cfg=cfg)
    trainer, *_ = setup_model_and_trainer(cfg, data)
    timer = Timer()
    timer.attach(trainer)
    if on_gpu:
        torch.cuda.empty_cache()  # what loading alone needed
        torch.cuda.reset_peak_memory_stats()
    wait(torch.cuda.memory_reserved() / GIB if on_gpu else 0.0)
    trainer.train()
    return {
        **timer.rates(warmup),
        "context_gib": context_gib,
        "peak_allocated_gib": timer.allocated / GIB if on_gpu else None,
        "peak_gib": context_gib + timer.reserved / GIB if on_gpu else None,
        "last_loss": next((entry["loss"] for entry in reversed(trainer.state.log_history) if "loss" in entry), None),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--cap-gib", type=float)
    parser.add_argument("--context-gib", type=float, default=0.0)
    args = parser.parse_args()

    def wait(held_gib: float) -> None:
        write_atomic(args.out.with_suffix(".ready"), str(held_gib))
        if not sys.stdin.readline():
            sys.exit("the benchmark that started this training has ended")

    measured = run(args.recipe, args.warmup, cap_gib=args.cap_gib, context_gib=args.context_gib, wait=wait)
    write_atomic(args.out, json.dumps(measured))


if __name__ == "__main__":
    main()
