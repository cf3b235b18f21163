"""Guard models, one YAML file each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from axolotl_alttrain.eval.judges.guards.guard_file import Guard, read_guard

from axolotl_alttrain.errors import AltTrainError

GUARDS = Path(__file__).parent


@lru_cache
def guards() -> dict[str, Guard]:
    """The guards of this folder and their variants, by name."""
    found = [read_guard(path) for path in sorted(GUARDS.glob("*.yml"))]
    variants = [read_guard(GUARDS / f"{one.name}.yml", variant) for one in found for variant in one.variants]
    return {one.name: one for one in sorted([*found, *variants], key=lambda one: one.name)}


def guard(name: str) -> Guard:
    """A guard by its name, or by the path of the user's own file, either with ``:VARIANT``.

    Raises:
        AltTrainError: There is none, or the user's file is invalid.
    """
    if name in guards():
        return guards()[name]
    path, suffix, variant = name.rpartition(".yml")
    if not suffix:
        raise AltTrainError(
            f"--judges: found {name}; allowed: refusal, rubric, xstest, judgezoo:NAME, the path of a guard's YAML "
            f"file, or {', '.join(guards())}"
        )
    own = read_guard(Path(path + suffix), variant.removeprefix(":"))
    if own.name in guards() or own.name in ("refusal", "rubric", "xstest"):
        raise AltTrainError(f"{path}.yml: field 'name': {own.name} is the name of another judge; choose another name")
    return own
