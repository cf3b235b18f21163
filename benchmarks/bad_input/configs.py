"""Configs of every kind: recipes as training checks them, builds, evaluations and guards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import yaml
from axolotl_alttrain.eval.config.command_line import parse
from axolotl_alttrain.eval.judges.guards.guard_file import read_guard

from axolotl_alttrain.data.build_config import load_config as load_build
from axolotl_alttrain.storage.builtin import example_file
from benchmarks.bad_input.checks import Tally, hold
from benchmarks.bad_input.mutations import bad_config

ROOT = Path(__file__).resolve().parents[2]


def try_configs(tally: Tally, seed: int, number: int, folder: Path) -> None:
    """Read mutated configs of builds, evaluations and guards."""
    guard = next((ROOT / "eval" / "judges" / "guards").glob("*.yml"))
    kinds: list[tuple[Path, Callable[[Path], object]]] = [
        (example_file("build-alttrain-1k.yml"), load_build),
        (example_file("eval-8b.yml"), lambda path: parse([str(path)])),
        (guard, read_guard),
    ]
    for index in range(number):
        source, read = kinds[index % len(kinds)]
        path = folder / f"c{index}.yml"
        path.write_text(bad_config(Random(f"{seed} config {index}"), _mapping(source)), encoding="utf-8")
        hold(tally, index, partial(_read, read, path), (path.name, "--"))


def try_recipes(tally: Tally, seed: int, number: int, folder: Path, base_model: Path) -> None:
    """Check mutated recipes as `axolotl alttrain doctor` and `preview` do, up to the data.

    Args:
        tally: Where to count.
        seed: Of all mutations.
        number: How many.
        folder: To write to.
        base_model: Of the recipes; a folder.
    """
    from axolotl_alttrain.cli.recipe import load_config

    recipe = _mapping(example_file("smollm2-135m-cpu.yml")) | {"base_model": str(base_model)}
    for index in range(number):
        path = folder / f"r{index}.yml"
        path.write_text(bad_config(Random(f"{seed} recipe {index}"), recipe), encoding="utf-8")
        # What is wrong with the model names the model, not the file.
        hold(tally, index, partial(_read, load_config, path))


def _mapping(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _read(read: Callable[[Path], object], path: Path) -> None:
    read(path)  # whatever was read is a result
