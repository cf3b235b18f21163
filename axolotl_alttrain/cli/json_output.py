"""``--json [FILE]``: the numbers of a command as JSON, in a file or on standard output."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console

from axolotl_alttrain.storage.atomic import write_atomic

STDOUT = Path("-")
_json_stream: ContextVar[TextIO | None] = ContextVar("json_stream", default=None)


class _Target(click.Path):
    """A file to write, which is never a config: the value is optional, so ``--json your.yml`` would overwrite it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).suffix in (".yml", ".yaml"):
            self.fail(f"would overwrite {value}; give the config before --json", param, ctx)
        return super().convert(value, param, ctx)


def json_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option ``--json``.

    Args:
        what: Completes "Print ... as JSON".
    """
    option = click.option(
        "--json",
        "json_file",
        is_flag=False,
        flag_value=str(STDOUT),
        type=_Target(dir_okay=False, path_type=Path),
        metavar="[FILE]",
        help=f"Print {what} as JSON and nothing else; with FILE, write them there.",
    )

    def with_option(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*args: Any, json_file: Path | None = None, **kwargs: Any) -> None:
            if json_file != STDOUT:
                return command(*args, json_file=json_file, **kwargs)
            with _everything_else_on_stderr():
                return command(*args, json_file=json_file, **kwargs)

        return option(run)

    return with_option


@contextmanager
def _everything_else_on_stderr() -> Iterator[None]:
    """Axolotl logs on standard output; what reads JSON there must not see it."""
    loggers = [logging.root, *(each for each in logging.root.manager.loggerDict.values())]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.__stdout__):
                handler.setStream(sys.stderr)
    token = _json_stream.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _json_stream.reset(token)


def console_beside(json_file: Path | None) -> Console:
    """Where a command prints for people: nowhere if standard output is to be JSON."""
    return Console(quiet=json_file == STDOUT)


def write_json(json_file: Path | None, value: Any, console: Console) -> None:
    """Print or write a value, or do nothing without a target."""
    if json_file is None:
        return
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if json_file == STDOUT:
        print(text, end="", file=_json_stream.get() or sys.stdout)
        return
    write_atomic(json_file, text)
    console.print(f"Written: {json_file}", highlight=False, soft_wrap=True)
