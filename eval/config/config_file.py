"""The YAML file of an evaluation: flags and their values."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from axolotl_alttrain.eval.config.groups import FLAGS
from pydantic.fields import FieldInfo

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.storage.yaml_file import OUTSIDE, leaves_folder, read_mapping


def read_flags(path: Path) -> tuple[dict[str, object], dict[str, str]]:
    """The flags in a file.

    Returns:
        Values by field name, numbers as the texts that a command line would have; and how each field is written, for
        messages. Fields without a value are left out.

    Raises:
        AltTrainError: The file cannot be read, a field is unknown, or a value has the wrong form.
    """
    values: dict[str, object] = {}
    written: dict[str, str] = {}
    for key, value in read_mapping(path, "a mapping of flags to values").items():
        name = str(key).replace("-", "_")
        where = f"{path}: field '{key}'"
        if name not in FLAGS:
            near = get_close_matches(name, FLAGS, 1)
            hint = f"did you mean '{near[0]}'?" if near else "python -m eval.run --help-all lists the names"
            raise AltTrainError(f"{where} is unknown; {hint}")
        if value is not None and value != []:
            values[name], written[name] = _value(name, FLAGS[name], value, where), where
            if name == "out" and leaves_folder(str(values[name])):
                raise AltTrainError(f"{where}: {shown(values[name])} {OUTSIDE}")
    return values, written


def _value(name: str, field: FieldInfo, value: Any, where: str) -> Any:
    if is_switch(field):
        if not isinstance(value, bool):
            raise AltTrainError(f"{where}: must be true or false, found {shown(value)}")
        return value
    if isinstance(value, bool) and {"on", "off"} <= set(choices_of(field)):
        return "on" if value else "off"  # YAML 1.1 reads a plain on and off as booleans
    if isinstance(value, bool):
        raise AltTrainError(f"{where}: must be text or a number, found {shown(value)}")
    if is_list(field):
        values = value if isinstance(value, list) else [value]
        if any(one is None or isinstance(one, bool) for one in values):
            # YAML reads an unquoted No as false.
            raise AltTrainError(f"{where}: must be a list of strings, found {shown(value)}; quote words like 'No'")
        if any(isinstance(one, list | dict) for one in values):
            raise AltTrainError(f"{where}: must be a flat list, found {shown(value)}")
        return tuple(map(str, values))
    if isinstance(value, list | dict):
        raise AltTrainError(f"{where}: must be a single value, found {shown(value)}")
    return str(value)


def is_switch(field: FieldInfo) -> bool:
    """Whether a flag is on or off."""
    return field.annotation is bool or bool in get_args(field.annotation)


def is_list(field: FieldInfo) -> bool:
    """Whether a flag takes several values."""
    return any(get_origin(one) is tuple for one in (field.annotation, *get_args(field.annotation)))


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """What a flag may be, where there is a list; empty otherwise."""
    for one in (field.annotation, *get_args(field.annotation)):
        if get_origin(one) is Literal:
            return get_args(one)
    return ()
