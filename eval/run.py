"""Evaluate a model before and after AltTrain: ``python -m eval.run``.

Without arguments: the demo model and, if it has been trained, its adapter, on the four probe sets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from axolotl_alttrain.eval.config.command_line import PROGRAM, config_from, parser

from axolotl_alttrain.errors import AltTrainError, exit_codes, interrupted

if TYPE_CHECKING:
    from axolotl_alttrain.eval.results.summary import Summary


def compare_parser(program: str = f"{PROGRAM} compare") -> argparse.ArgumentParser:
    """The command line of ``compare``."""
    p = argparse.ArgumentParser(
        prog=program,
        description="Compare runs on the prompts they share: table, compare.html, compare.json, compare.md.",
        epilog="A base that several folders share is shown once; checkpoint-N folders are ordered by their steps. "
        + exit_codes("compare"),
    )
    p.add_argument("folders", nargs="*", type=Path, metavar="RUN", help="results folder of the evaluator (--out)")
    p.add_argument(
        "--seeds",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME=RUN", "RUN"),
        help="runs of one recipe trained with several seeds, for its mean with an interval over seeds beside the one "
        "over prompts: table, seeds.json, seeds.md; may be repeated",
    )
    p.add_argument(
        "--ignore",
        nargs="+",
        default=[],
        metavar="SETTING",
        help="generation settings that may differ, for example load_in_4bit (default: none)",
    )
    p.add_argument("--reference", metavar="NAME", help="run that the others are compared with (default: the first)")
    p.add_argument(
        "--out", type=Path, default=Path("outputs/compare"), help="folder for results (default: %(default)s)"
    )
    return p


def main(argv: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run the evaluation or a subcommand.

    Args:
        argv: Its arguments; those of this process by default.
        program: The command as the user typed it, for usage and messages; ``python -m eval.run`` by default.

    Returns:
        0; 1 on a mistake, which is printed in one line; 3 if a set, an attack or a completion is unavailable and the
        rest ran; 130 if interrupted. Sets that a suite skips because code may not be executed are reported as missing
        but are not failures.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    commands: dict[str, Callable[[Sequence[str], str], int]] = {"compare": _compare, "card": _card, "import": _import}
    name = argv[0] if argv[:1] and argv[0] in commands else ""
    shown = program or f"{PROGRAM} {name}".strip()
    try:
        return commands[name](argv[1:], shown) if name else _evaluate(argv, shown)
    except AltTrainError as error:
        print(f"{shown.removeprefix('python -m ')}: {error}", file=sys.stderr)
        return 1
    except BaseException as error:
        if not interrupted(error):
            raise
        print(f"{shown.removeprefix('python -m ')}: interrupted; run the same command again to resume", file=sys.stderr)
        return 130


def _evaluate(argv: Sequence[str], program: str) -> int:
    args = parser(program).parse_args(argv)
    if args.list:
        from axolotl_alttrain.eval.prompts.listing import print_listing

        print_listing()
        return 0
    config = config_from(args)
    if args.pin:
        from axolotl_alttrain.eval.prompts.pins import print_pins

        return print_pins(list(config.prompts.sets or ()), config.prompts.suite)
    with _loading():
        from axolotl_alttrain.eval.evaluate import evaluate  # after parsing: --help must not wait for torch

    return _exit_code(evaluate(config), program.removeprefix("python -m "))


def _loading() -> AbstractContextManager[None]:
    """Keep a log file from being silent while libraries are imported, which takes a minute on a busy machine."""
    from rich.console import Console

    from axolotl_alttrain.progress import spoken

    return spoken(Console(), "loading libraries")


def _exit_code(summary: Summary, name: str) -> int:
    if set(summary.missing) - set(summary.switched_off):
        print(f"{name}: some of the requested sets, attacks or completions are missing; see the last table",
              file=sys.stderr)  # fmt: skip
        return 3
    return 0


def _compare(argv: Sequence[str], program: str) -> int:
    args = compare_parser(program).parse_args(argv)  # before the imports: --help must not wait for them
    if args.seeds:
        from axolotl_alttrain.eval.compare.seeds import compare_seeds

        compare_seeds(args.seeds, args.folders, args.out, args.ignore, args.reference)
        return 0
    if not args.folders:
        raise AltTrainError("no run is given; give results folders, or --seeds NAME=RUN RUN RUN")
    with _loading():
        from axolotl_alttrain.eval.compare import compare

    compare(args.folders, args.out, args.ignore, args.reference)
    return 0


def _import(argv: Sequence[str], program: str) -> int:
    from axolotl_alttrain.eval.import_transcripts import import_transcripts

    return _exit_code(import_transcripts(argv, program), program.removeprefix("python -m "))


def _card(argv: Sequence[str], program: str) -> int:
    from axolotl_alttrain.eval.report.card.model_card_command import card

    card(argv, program)
    return 0


if __name__ == "__main__":
    # Started as `eval.run` from a checkout: every module must be loaded under one name.
    from axolotl_alttrain.eval.run import main as main_of_the_package

    raise SystemExit(main_of_the_package())
