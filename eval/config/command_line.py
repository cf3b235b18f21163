"""The command line of ``python -m eval.run``, made from the groups' fields."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args, get_origin

from axolotl_alttrain.eval.config.config_file import is_list, is_switch, read_flags
from axolotl_alttrain.eval.config.eval_config import EvalConfig
from axolotl_alttrain.eval.config.groups import ADAPTER_FORMS, FLAGS, GROUPS, noted
from pydantic.fields import FieldInfo

DEMO_ADAPTER = Path("outputs/smollm2-135m-cpu")


def parser() -> argparse.ArgumentParser:
    """The command line. It yields only the flags that were given, as texts; their types are checked by the model."""
    p = argparse.ArgumentParser(
        prog="python -m eval.run",
        description="Evaluate the safety, over-refusal and capability of a model, with and without its adapter.",
        epilog="Subcommands: 'python -m eval.run compare RUN [RUN ...]' compares finished runs; "
        "'python -m eval.run card RUN' writes a model card; "
        "'python -m eval.run import FILE ...' judges transcripts of garak and PyRIT. "
        "Without --model and --adapter, the demo model and the adapter in outputs/smollm2-135m-cpu are evaluated. "
        "Exit codes: 0, success; 1, a mistake, which is named; 3, a set, attack or completion is unavailable and the "
        "rest ran. HumanEval that a suite skips is reported as missing, with exit code 0.",
        argument_default=argparse.SUPPRESS,
    )
    p.add_argument(
        "config", nargs="?", type=Path, default=None, metavar="CONFIG",
        help="YAML file with these flags, such as examples/eval-8b.yml; flags on the command line take precedence",
    )  # fmt: skip
    p.add_argument(
        "--list", action="store_true", default=False, help="list all sets, suites, protocols and attacks, then exit"
    )
    p.add_argument(
        "--pin", action="store_true", default=False,
        help="print the newest commits of --sets or --suite as --revision takes them, then exit",
    )  # fmt: skip
    for group in GROUPS.values():
        section = p.add_argument_group((group.__doc__ or "").rstrip(".").lower())
        for name, field in group.model_fields.items():
            add_flag(section, name, field)
    return p


def config_from(args: argparse.Namespace) -> EvalConfig:
    """The evaluation that a command line and its YAML file describe; the command line takes precedence.

    Raises:
        AltTrainError: A mistake in either, in one line.
    """
    given = {name: value for name, value in vars(args).items() if name in FLAGS}
    values, written = read_flags(args.config) if args.config else ({}, {})
    flags = values | given
    written = {name: where for name, where in written.items() if name not in given}
    whole = flags.get("weights") not in (None, *ADAPTER_FORMS)
    names_weights = "model" in flags or "adapter" in flags or whole or flags.get("backend") == "api"
    if not names_weights and (DEMO_ADAPTER / "adapter_config.json").is_file():
        flags["adapter"] = str(DEMO_ADAPTER)
    return EvalConfig.from_flags(flags, args.config, written)


def parse(argv: Sequence[str]) -> EvalConfig:
    """The evaluation that a command line describes."""
    return config_from(parser().parse_args(argv))


def add_flag(group: argparse._ActionsContainer, name: str, field: FieldInfo) -> None:
    """Add the flag of a field to a command line."""
    flag, text = f"--{name.replace('_', '-')}", (field.description or "").replace("%", "%%")
    if users := noted(field, "backends"):
        text = f"{', '.join(users)}: {text}"
    if is_switch(field):
        if field.default is False:
            group.add_argument(flag, action="store_true", help=text)
        else:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    choices = choices_of(field)
    metavar = f"{{{','.join(choices)}}}" if choices else noted(field, "metavar")
    if field.default not in (None, ()):
        default = field.default if not is_list(field) else " ".join(field.default)
        text = f"{text} (default: {default})"
    if is_list(field):
        group.add_argument(flag, nargs="+", metavar=metavar, help=text)
    else:
        group.add_argument(flag, metavar=metavar, help=text)


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """What a flag may be, where there is a list; empty otherwise."""
    for one in (field.annotation, *get_args(field.annotation)):
        if get_origin(one) is Literal:
            return get_args(one)
    return ()
