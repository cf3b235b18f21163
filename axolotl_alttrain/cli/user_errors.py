"""A user's mistake on a command line: one line, and an exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import click

from axolotl_alttrain.errors import AltTrainError, interrupted

INTERRUPTED = 130  # the exit code of a shell's command that Ctrl-C ends


def user_errors_in_one_line(command: Callable[..., int | None], exit_code: int = 1) -> Callable[..., None]:
    """A command that exits with the code that it returns, and prints a mistake or an interruption in one line.

    Args:
        command: Returns its exit code; None for 0.
        exit_code: For a mistake.
    """

    @functools.wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            status = command(*args, **kwargs)
        except AltTrainError as error:
            click.ClickException(str(error)).show()
            sys.exit(exit_code)
        except BaseException as error:
            if not interrupted(error):
                raise
            click.ClickException("interrupted; run the same command again to resume").show()
            sys.exit(INTERRUPTED)
        sys.exit(status or 0)

    return run
