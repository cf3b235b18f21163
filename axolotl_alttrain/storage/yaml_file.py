"""Read YAML files; errors name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.errors import AltTrainError, one_line, shown
from axolotl_alttrain.storage.user_files import opened

_BYTES = 1 << 20
_VALUES = 100_000  # after every alias is replaced by what it stands for

OUTSIDE = "leaves the current folder; write a path below it, or name the folder with --out"


def leaves_folder(path: str) -> bool:
    """Whether a config's output path leaves the folder in which the command runs, which only a flag may do."""
    return Path(path).is_absolute() or ".." in Path(path).parts


def read_mapping(path: Path, allowed: str) -> dict[Any, Any]:
    """The keys and values of a YAML file.

    Args:
        path: The file.
        allowed: What belongs in it, for the message.

    Raises:
        AltTrainError: It cannot be read, is not YAML, repeats a key, grows without bounds through aliases, or has no
            keys.
    """
    with opened(path) as file:
        content = file.read(_BYTES + 1)
    if len(content) > _BYTES:
        raise AltTrainError(f"{path}: the file has more than {_BYTES >> 20} MiB; write {allowed}")
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is not None:
            _count(node, {})
        found = loader.construct_document(node) if node is not None else None
    except Exception as error:  # PyYAML lets its errors about values of a wrong form pass as they come
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else one_line(error)
        raise AltTrainError(
            f"{path}: the file cannot be read as YAML ({reason}); check the path and the syntax"
        ) from None
    if not isinstance(found, dict):
        raise AltTrainError(f"{path}: the file holds {shown(found)} instead of keys; write {allowed}")
    return found


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """The number of values in a node, aliases replaced; the nodes that contain it count 0 until it is known."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        if not known[id(node)]:
            raise ValueError(f"the alias in line {node.start_mark.line + 1} contains itself")
        return known[id(node)]
    known[id(node)] = 0
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        parts = [part for pair in node.value for part in pair]
    else:
        parts = node.value
    known[id(node)] = total = 1 + sum(_count(part, known) for part in parts)
    if total > _VALUES:
        raise ValueError(f"line {node.start_mark.line + 1} expands to more than {_VALUES} values")
    return total


def _check_keys(node: yaml.MappingNode) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            raise ValueError(f"the key {shown(key.value)} appears twice, in lines {lines[key.value]} and {line}")
        lines[key.value] = line
