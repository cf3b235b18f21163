"""The command of a benchmark as its results show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def shown_command(benchmark: str, argv: Sequence[str]) -> str:
    """How to run a benchmark again, without the paths of this machine."""
    return " ".join([f"python -m benchmarks.{benchmark}", *map(without_machine, argv)])


def without_machine(argument: str) -> str:
    """An argument as it is shown: absolute paths are relative to this folder, or the name alone outside of it."""
    path = Path(argument)
    if not path.is_absolute():
        return argument
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name
