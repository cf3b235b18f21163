"""The environments in which the tests and the demo passed, for the doctor and the README.

``tested.json`` is written by ``.ci/matrix.py`` from the results of ``.ci/run``.

    python -m axolotl_alttrain.cli.tested    # prints this environment on one line
"""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.resources import files

from packaging.version import Version
from pydantic import BaseModel, ConfigDict, TypeAdapter

from axolotl_alttrain.compat import installed_version

# The packages that training depends on, in the order in which the doctor shows them.
PACKAGES = ("axolotl", "torch", "transformers", "peft", "trl", "datasets", "bitsandbytes", "accelerate")


class Environment(BaseModel):
    """One environment and its test results.

    Attributes:
        python: CPython version, three numbers.
        packages: Version of each of :data:`PACKAGES`, without local parts such as ``+cpu``.
        fast_tests: Result of the fast tests, for example ``2650 passed``; empty if they did not run.
        slow_tests: Result of the slow tests.
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
        """Python's minor version, for example ``3.12``."""
        return self.python.rpartition(".")[0]

    @property
    def key(self) -> tuple[Version, Version]:
        """Identifies a row of the matrix: Axolotl's version and Python's minor version."""
        return Version(self.packages["axolotl"]), Version(self.minor)


@cache
def known_environments() -> tuple[Environment, ...]:
    """The rows of the matrix, oldest first."""
    text = files("axolotl_alttrain.cli").joinpath("tested.json").read_text(encoding="utf-8")
    return tuple(sorted(TypeAdapter(list[Environment]).validate_json(text), key=lambda row: row.key))


def known_versions(name: str, axolotl: str | None = None) -> list[str]:
    """The versions of a package in the matrix, oldest first.

    Args:
        name: One of :data:`PACKAGES`, or ``python`` for its minor versions.
        axolotl: Use only rows of this version; all rows if there is none.
    """
    rows = [row for row in known_environments() if row.packages["axolotl"] == axolotl] or known_environments()
    found = {row.minor if name == "python" else row.packages[name] for row in rows}
    return sorted(found, key=Version)


def installed(name: str) -> str | None:
    """The installed version of a package without its local part, or None."""
    found = installed_version(name)
    return Version(found).public if found else None


def this_environment() -> Environment:
    """The current environment, without results."""
    packages = {name: found for name in PACKAGES if (found := installed(name)) is not None}
    return Environment(python=platform.python_version(), packages=packages)


def main() -> None:
    """Print the current environment on one line, after the name given as an argument."""
    here = this_environment()
    name = f"{sys.argv[1]}: " if len(sys.argv) > 1 else ""
    print(f"{name}Python {here.python}, " + ", ".join(f"{name} {found}" for name, found in here.packages.items()))


if __name__ == "__main__":
    main()
