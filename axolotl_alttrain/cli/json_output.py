"""``--json [FILE]``: the numbers of a command as JSON, in a file or on standard output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from axolotl_alttrain.storage.atomic import write_atomic

STDOUT = Path("-")


class _Target(click.Path):
    """A file to write, which is never a config: the value is optional, so ``--json your.yml`` would overwrite it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).suffix in (".yml", ".yaml"):
            self.fail(f"would overwrite {value}; give the config before --json", param, ctx)
        return super().convert(value, param, ctx)


def json_option(what: str) -> Callable[[Any], Any]:
    """The option ``--json``.

    Args:
        what: Completes "Print ... as JSON".
    """
    return click.option(
        "--json",
        "json_file",
        is_flag=False,
        flag_value=str(STDOUT),
        type=_Target(dir_okay=False, path_type=Path),
        metavar="[FILE]",
        help=f"Print {what} as JSON and nothing else; with FILE, write them there.",
    )


def console_beside(json_file: Path | None) -> Console:
    """Where a command prints for people: nowhere if standard output is to be JSON."""
    return Console(quiet=json_file == STDOUT)


def write_json(json_file: Path | None, value: Any, console: Console) -> None:
    """Print or write a value, or do nothing without a target."""
    if json_file is None:
        return
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if json_file == STDOUT:
        print(text, end="")
        return
    write_atomic(json_file, text)
    console.print(f"Written: {json_file}", highlight=False, soft_wrap=True)
