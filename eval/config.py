"""An evaluation written down: a YAML file whose keys are the command line's flags."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.storage.yaml_file import read_mapping


def with_config(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line that may name a config file; what the command line itself says wins.

    Raises:
        AltTrainError: The file cannot be read, or holds something that is no flag.
    """
    args = parser.parse_args(argv)
    if args.config is None:
        return args
    # The command line over what the file says; its own place in it need not be known ("./eval.yml" is not args.config).
    return parser.parse_args(argv, parser.parse_args(_arguments(parser, args.config)))


def _arguments(parser: argparse.ArgumentParser, path: Path) -> list[str]:
    """The flags that a file stands for."""
    content = read_mapping(path, "a mapping of flags to values")
    actions = {a.dest: a for a in parser._actions if a.option_strings and a.dest not in ("help", "list", "pin")}
    made: list[str] = []
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in actions:
            near = get_close_matches(name, actions, 1)
            hint = f"'{near[0]}'" if near else "the long flags of python -m eval.run --help"
            raise AltTrainError(f"{path}: field '{key}': found an unknown name; allowed: {hint}")
        made += _flag(actions[name], value, f"{path}: field '{key}'")
    return made


def _flag(action: argparse.Action, value: Any, where: str) -> list[str]:
    flag = action.option_strings[0]
    switch = isinstance(action, argparse.BooleanOptionalAction)
    if value is None:
        return []
    if switch or action.nargs == 0:
        if not isinstance(value, bool):
            raise AltTrainError(f"{where}: found {shown(value)}; allowed: true or false")
        return [flag] if value else [f"--no-{flag.removeprefix('--')}"] if switch else []
    if isinstance(value, bool):
        raise AltTrainError(f"{where}: found {shown(value)}; allowed: a value")
    if isinstance(value, list):
        if action.nargs != "+" or any(isinstance(one, list | dict) for one in value):
            raise AltTrainError(
                f"{where}: found {shown(value)}; allowed: {'a flat list' if action.nargs else 'one value'}"
            )
        if any(one is None or isinstance(one, bool) for one in value):
            # YAML reads a guard's No and Yes as false and true; as "False" they would be verdicts nobody writes.
            raise AltTrainError(f"{where}: found {shown(value)}; allowed: texts, with quotes around words like 'No'")
        return [flag, *map(str, value)] if value else []
    # "--flag=value", so that a value may begin with a dash.
    return [f"{flag}={json.dumps(value) if isinstance(value, dict) else value}"]
