"""The command line of ``python -m eval.run``, made from the groups' fields."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path

from axolotl_alttrain.eval.config.config_file import choices_of, is_list, is_switch, read_flags
from axolotl_alttrain.eval.config.eval_config import EvalConfig
from axolotl_alttrain.eval.config.groups import ADAPTER_FORMS, FLAGS, GROUPS
from axolotl_alttrain.eval.config.option import noted
from pydantic.fields import FieldInfo

from axolotl_alttrain.errors import exit_codes

DEMO_ADAPTER = Path("outputs/smollm2-135m-cpu")

PROGRAM = "python -m eval.run"
COMMA_SEPARATED = ("sets", "attacks", "judges")  # spaces separate them as well
# The flags of most evaluations; `--help` shows these, `--help-all` all.
COMMON = (
    "model", "adapter", "weights", "suite", "sets", "attacks", "limit", "max_new_tokens", "backend", "judges", "out"
)  # fmt: skip


class _ShortHelp(argparse.Action):
    """``--help``: the common flags, on one screen."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        make_parser(parser.prog, COMMON).print_help()
        parser.exit()


def parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """The command line. It yields only the flags that were given, as texts; their types are checked by the model."""
    return make_parser(program, FLAGS)


def make_parser(program: str, shown: Collection[str]) -> argparse.ArgumentParser:
    """A command line with the flags that are named."""
    subcommands = (
        "Subcommands: 'python -m eval.run compare RUN [RUN ...]' compares finished runs; "
        "'python -m eval.run card RUN' writes a model card; "
        "'python -m eval.run import FILE ...' judges transcripts of garak and PyRIT. "
    )
    p = argparse.ArgumentParser(
        prog=program,
        usage=f"{program} [CONFIG] [flags]",
        description="Evaluate the safety, over-refusal and capability of a model, with and without its adapter.",
        epilog=(subcommands if program == PROGRAM else "")
        + "Without --model and --adapter, the demo model and the adapter in outputs/smollm2-135m-cpu are evaluated. "
        f"If a suite skips HumanEval, it is reported as missing, with exit code 0. {exit_codes('evaluate')}",
        argument_default=argparse.SUPPRESS,
        add_help=False,
    )
    p.add_argument("-h", "--help", action=_ShortHelp, nargs=0, help="show the common flags and exit")
    p.add_argument("--help-all", action="help", help="show every flag and exit")
    p.add_argument(
        "config", nargs="?", type=Path, default=None, metavar="CONFIG",
        help="YAML file with these flags, such as examples/eval-8b.yml; flags on the command line take precedence",
    )  # fmt: skip
    p.add_argument(
        "--list", action="store_true", default=False, help="list all sets, suites, protocols and attacks, then exit"
    )
    if "revision" in shown:
        p.add_argument(
            "--pin", action="store_true", default=False,
            help="print the newest commits of --sets or --suite as --revision takes them, then exit",
        )  # fmt: skip
    common = p.add_argument_group("common flags") if shown is COMMON else None
    for group in GROUPS.values():
        section = common or p.add_argument_group((group.__doc__ or "").rstrip(".").lower())
        for name, field in group.model_fields.items():
            if name in shown:
                add_flag(section, name, field)
    return p


def config_from(args: argparse.Namespace) -> EvalConfig:
    """The evaluation that a command line and its YAML file describe; the command line takes precedence.

    Raises:
        AltTrainError: A mistake in either, in one line.
    """
    given = {name: value for name, value in vars(args).items() if name in FLAGS}
    for name in given.keys() & set(COMMA_SEPARATED):
        given[name] = [one for values in given[name] for one in values.split(",") if one]
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
