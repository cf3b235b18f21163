"""The environments in which the tests and the demo have passed, as the doctor and the README state them.

``tested.json`` beside this file is written by ``.ci/matrix.py`` from what ``.ci/run`` really ran.

    python -m axolotl_alttrain.cli.tested    # this environment in one line
"""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from packaging.version import Version
from pydantic import BaseModel, ConfigDict, TypeAdapter

# What decides whether training works, in the order in which the doctor shows it.
PACKAGES = ("axolotl", "torch", "transformers", "peft", "trl", "datasets", "bitsandbytes", "accelerate")


class Environment(BaseModel):
    """One environment and what passed in it.

    Attributes:
        python: Version of CPython, three numbers.
        packages: Version by name of :data:`PACKAGES`, without local parts such as ``+cpu``.
        fast_tests: Result of the fast tests, as in ``2650 passed``; empty where they did not run.
        slow_tests: Likewise of the slow ones.
        demo: Result of the demo, or of its shortened form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    python: str
    packages: dict[str, str]
    fast_tests: str = ""
    slow_tests: str = ""
    demo: str = ""

    @property
    def minor(self) -> str:
        """Python's version in two numbers, as in ``3.12``."""
        return self.python.rpartition(".")[0]

    @property
    def key(self) -> tuple[Version, Version]:
        """What makes two environments the same row: Python's minor version and Axolotl's version."""
        return Version(self.packages["axolotl"]), Version(self.minor)


@cache
def known_environments() -> tuple[Environment, ...]:
    """The rows of the matrix, from the oldest to the newest."""
    text = files("axolotl_alttrain.cli").joinpath("tested.json").read_text(encoding="utf-8")
    return tuple(sorted(TypeAdapter(list[Environment]).validate_json(text), key=lambda row: row.key))


def known_versions(name: str, axolotl: str | None = None) -> list[str]:
    """The versions of a package in the matrix, oldest first.

    Args:
        name: One of :data:`PACKAGES`, or ``python`` for its minor versions.
        axolotl: Look only at rows of this version; at all rows where it is in none of them.
    """
    rows = [row for row in known_environments() if row.packages["axolotl"] == axolotl] or known_environments()
    found = {row.minor if name == "python" else row.packages[name] for row in rows}
    return sorted(found, key=Version)


def installed(name: str) -> str | None:
    """The installed version of a package without its local part, or None."""
    try:
        return Version(version(name)).public
    except PackageNotFoundError:
        return None


def this_environment() -> Environment:
    """The environment that runs this, with no results."""
    packages = {name: found for name in PACKAGES if (found := installed(name)) is not None}
    return Environment(python=platform.python_version(), packages=packages)


def main() -> None:
    """Print this environment in one line, with the name that the caller gives it."""
    here = this_environment()
    name = f"{sys.argv[1]}: " if len(sys.argv) > 1 else ""
    print(f"{name}Python {here.python}, " + ", ".join(f"{name} {found}" for name, found in here.packages.items()))


if __name__ == "__main__":
    main()
