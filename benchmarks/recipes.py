"""The table of recipes with their estimated memory and time: ``python -m benchmarks.recipes``.

Each row is what ``axolotl alttrain fit RECIPE --gpu CARD`` says. ``--write`` puts memory, time and their error
band into the recipes' headers.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import yaml

from axolotl_alttrain.cli.fit_command import Fit, estimate
from axolotl_alttrain.fit.error_band import PUBLISHED_BAND
from axolotl_alttrain.fit.gpus import Gpu, find_gpu

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "recipes.md"
HEADER = (
    "| recipe | model | GPU | method | memory, GiB | with full batches | time |\n"
    "| --- | --- | --- | --- | ---: | ---: | ---: |\n"
)
_ERROR_SOURCE = "fit against published measurements"
_ESTIMATED = re.compile(r"^# +\(estimated, not measured, by: .*$", flags=re.M)
_CARD = re.compile(r"--gpu (\S+)\)")
_SIZE = re.compile(r"-(\d+(?:\.\d+)?)b")


def gpu_recipes() -> list[Path]:
    """The recipes for GPUs, those whose header gives a ``fit`` command, the smallest model first."""
    found = sorted((ROOT / "examples").glob("alttrain-*.yml"), key=lambda path: (_billions(path), path.name))
    return [path for path in found if "axolotl alttrain fit" in path.read_text(encoding="utf-8")]


def _billions(path: Path) -> float:
    named = _SIZE.search(path.stem)
    return float(named[1]) if named else 0.0


def card_of(text: str) -> Gpu:
    """The card that a recipe's header names in its ``fit`` command."""
    named = _CARD.search(text)
    return find_gpu(named[1] if named else "a6000")


def header_lines(found: Fit) -> tuple[str, str]:
    """The lines ``Memory`` and ``Time`` of a recipe's header."""
    each = " on each card" if found.gpus > 1 else ""
    memory = (
        f"{found.gib:.0f} GiB{each} with the seed data, {found.full_gib:.0f} GiB with rows that fill "
        f"{found.full_tokens:,} tokens"
    )
    training = found.time
    time = f"{training.seconds / 60:.0f} minutes for {training.steps:,} steps of {training.rows_per_step:.0f} rows"
    return memory, time


def error_line() -> str:
    """The line ``Error`` of a recipe's header."""
    median, worst = 100 * PUBLISHED_BAND.memory_median, 100 * PUBLISHED_BAND.memory_worst
    return (
        f"memory {median:.0f} % in the median, {worst:.0f} % at most; time a factor of at most "
        f"{PUBLISHED_BAND.time_factor:.1f}: {_ERROR_SOURCE}"
    )


def with_header(text: str, found: Fit) -> str:
    """A recipe's text with its estimate in the header."""
    if "\n# Error " not in text:
        text = _ESTIMATED.sub(r"\g<0>\n# Error     ", text, count=1)
    for name, line in zip(("Memory", "Time", "Error"), (*header_lines(found), error_line()), strict=True):
        text = re.sub(rf"^# {name:<9} .*$", f"# {name:<9} {line}", text, count=1, flags=re.M)
    return text


def table_row(path: Path, found: Fit) -> str:
    """One row of the table."""
    cfg = yaml.safe_load(path.read_text(encoding="utf-8"))
    card = found.gpu.name if found.gpus == 1 else f"{found.gpus} x {found.gpu.name}"
    method = {"qlora": "QLoRA", "lora": "LoRA, bf16"}[cfg["adapter"]]
    for key, name in (("fsdp_config", "FSDP2"), ("deepspeed", "ZeRO-3"), ("use_ray", "Ray")):
        method += f", {name}" if cfg.get(key) else ""
    model = cfg["base_model"].partition("/")[2]
    return (
        f"| [{path.name}](examples/{path.name}) | {model} | {card} | {method} | {found.gib:.0f} | {found.full_gib:.0f} "
        f"| {found.time.seconds / 60:.0f} min |\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the estimates into the recipes' headers")
    write = parser.parse_args().write
    table = HEADER
    for path in gpu_recipes():
        text = path.read_text(encoding="utf-8")
        found = estimate(path, card_of(text))
        if write:
            path.write_text(with_header(text, found), encoding="utf-8")
        table += table_row(path, found)
    RESULTS.write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
