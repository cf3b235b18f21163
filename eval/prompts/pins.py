"""``--pin``: the commits that the hub's sets are at now, as ``--revision`` takes them."""

from __future__ import annotations

import sys

from axolotl_alttrain.eval.prompts.hub_files import newest
from axolotl_alttrain.eval.prompts.sets import SetSpec, chosen, specs

from axolotl_alttrain.errors import AltTrainError


def print_pins(names: list[str] | None = None, suite: str | None = None) -> int:
    """Print ``SET=COMMIT`` for each set; what is to be said besides goes to stderr.

    Args:
        names: Sets, ``--sets``.
        suite: ``--suite``. Where neither is given: the sets that have no commit in their file.

    Returns:
        0; 3 if the hub did not answer for one of them.

    Raises:
        AltTrainError: A name is unknown.
    """
    commits: dict[str, str | AltTrainError] = {}  # by repository: two sets may come from one
    failed = False
    for spec in _asked(names, suite):
        if (commit := commits.get(spec.hub["id"])) is None:
            commit = commits[spec.hub["id"]] = _newest(spec)
        if isinstance(commit, AltTrainError):
            print(f"eval.run: {commit}", file=sys.stderr)
            failed = True
            continue
        print(f"{spec.name}={commit}")
        if spec.hub["revision"] not in (None, commit):
            print(
                f"eval.run: {spec.name} is pinned to {spec.hub['revision']}, which is not the newest",
                file=sys.stderr,
            )
    return 3 if failed else 0


def _asked(names: list[str] | None, suite: str | None) -> list[SetSpec]:
    if names or suite:
        return [specs()[name] for name in chosen(names, suite) if name in specs()]  # the probes are no hub's
    return [spec for spec in specs().values() if spec.hub["revision"] is None]


def _newest(spec: SetSpec) -> str | AltTrainError:
    try:
        return newest(spec)
    except AltTrainError as error:
        return error
