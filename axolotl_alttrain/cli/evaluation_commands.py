"""``axolotl alttrain evaluate``, ``import``, ``compare`` and ``card``: the commands of ``python -m eval.run``.

Their flags are declared once, in the evaluator. Here they are passed on as they are given, and completed by the shell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

GROUP = "axolotl alttrain"


class EvaluatorCommand(click.Command):
    """A command whose flags an argparse parser reads.

    Args:
        name: Its name below ``axolotl alttrain``.
        subcommand: The arguments that select it in ``eval.run``.
        make_parser: Makes its parser, with the program's name.
        summary: One line for the list of commands.
    """

    def __init__(
        self, name: str, subcommand: list[str], make_parser: Callable[[str], argparse.ArgumentParser], summary: str
    ) -> None:
        super().__init__(
            name,
            callback=lambda arguments: sys.exit(run([*subcommand, *arguments], f"{GROUP} {name}")),
            params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
            context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
            add_help_option=False,  # the evaluator's own --help
            short_help=summary,
        )
        self.parser = lambda: make_parser(f"{GROUP} {name}")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Flags of the parser; files and folders for everything else."""
        if not incomplete.startswith("-"):
            return [CompletionItem(incomplete, type="file")]
        return [
            CompletionItem(flag, help=(action.help or "").replace("%%", "%"))
            for action in self.parser()._actions
            for flag in action.option_strings
            if flag.startswith(incomplete)
        ]


def run(arguments: list[str], program: str) -> int:
    """Run the evaluator and return its exit code."""
    from axolotl_alttrain.eval.run import main

    return main(arguments, program)


def _evaluate_parser(program: str) -> Any:
    from axolotl_alttrain.eval.config.command_line import parser

    return parser(program)


def _import_parser(program: str) -> Any:
    from axolotl_alttrain.eval.import_transcripts import import_parser

    return import_parser(program)


def _compare_parser(program: str) -> Any:
    from axolotl_alttrain.eval.run import compare_parser

    return compare_parser(program)


def _card_parser(program: str) -> Any:
    from axolotl_alttrain.eval.report.card.model_card_command import card_parser

    return card_parser(program)


COMMANDS = (
    EvaluatorCommand("evaluate", [], _evaluate_parser, "Evaluate a model with and without its adapter."),
    EvaluatorCommand("import", ["import"], _import_parser, "Judge the transcripts of garak or PyRIT."),
    EvaluatorCommand("compare", ["compare"], _compare_parser, "Compare finished evaluations."),
    EvaluatorCommand("card", ["card"], _card_parser, "Write the model card of an evaluation, or push it."),
)
