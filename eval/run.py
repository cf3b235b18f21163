"""Evaluate a model before and after AltTrain: ``python -m eval.run``.

Without arguments: the demo model and, if it has been trained, its adapter, on the four probe sets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from axolotl_alttrain.eval.config.command_line import config_from, parser

from axolotl_alttrain.errors import AltTrainError


def compare_parser() -> argparse.ArgumentParser:
    """The command line of ``compare``."""
    p = argparse.ArgumentParser(
        prog="python -m eval.run compare",
        description="Compare runs on the prompts they share: table, compare.html, compare.json, compare.md.",
        epilog="A base that several folders share is shown once; checkpoint-N folders are ordered by their steps.",
    )
    p.add_argument("folders", nargs="+", type=Path, metavar="RUN", help="results folder of the evaluator (--out)")
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation or a subcommand.

    Returns:
        0; 1 on a mistake, which is printed in one line; 3 if a set, an attack or a completion is unavailable and the
        rest ran; 130 if interrupted. Sets that a suite skips because code may not be executed are reported as missing
        but are not failures.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    commands: dict[str, Callable[[Sequence[str]], int]] = {"compare": _compare, "card": _card}
    name = argv[0] if argv[:1] and argv[0] in commands else ""
    try:
        return commands[name](argv[1:]) if name else _evaluate(argv)
    except AltTrainError as error:
        print(f"{f'eval.run {name}'.strip()}: {error}", file=sys.stderr)
        return 1


def _evaluate(argv: Sequence[str]) -> int:
    args = parser().parse_args(argv)
    if args.list:
        from axolotl_alttrain.eval.prompts.listing import print_listing

        print_listing()
        return 0
    config = config_from(args)
    if args.pin:
        from axolotl_alttrain.eval.prompts.pins import print_pins

        return print_pins(list(config.prompts.sets or ()), config.prompts.suite)
    from axolotl_alttrain.eval.evaluate import evaluate  # after parsing: --help must not wait for torch

    try:
        summary = evaluate(config)
    except KeyboardInterrupt:
        print("eval.run: interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    if set(summary.missing) - set(summary.switched_off):
        print("eval.run: some of the requested sets, attacks or completions are missing; see the last table",
              file=sys.stderr)  # fmt: skip
        return 3
    return 0


def _compare(argv: Sequence[str]) -> int:
    args = compare_parser().parse_args(argv)  # before the import: --help must not wait for it
    from axolotl_alttrain.eval.compare import compare

    compare(args.folders, args.out, args.ignore, args.reference)
    return 0


def _card(argv: Sequence[str]) -> int:
    from axolotl_alttrain.eval.report.card.model_card_command import card

    card(argv)
    return 0


if __name__ == "__main__":
    # Started as `eval.run` from a checkout: every module must be loaded under one name.
    from axolotl_alttrain.eval.run import main as main_of_the_package

    raise SystemExit(main_of_the_package())
