"""``--pin``: the newest commits of the sets on the Hub, in the form of ``--revision``."""

from __future__ import annotations

import sys

from axolotl_alttrain.eval.prompts.hub_files import newest
from axolotl_alttrain.eval.prompts.sets import SetSpec, chosen, specs

from axolotl_alttrain.errors import AltTrainError


def print_pins(names: list[str] | None = None, suite: str | None = None) -> int:
    """Print ``SET=COMMIT`` for each set; messages go to stderr.

    Args:
        names: ``--sets``.
        suite: ``--suite``. Without either, the sets without a pinned commit.

    Returns:
        0, or 3 if the Hub did not answer for one of the sets.

    Raises:
        AltTrainError: A name is unknown.
    """
    commits: dict[str, str | AltTrainError] = {}  # by repository, because two sets may share one
    failed = False
    for spec in _requested(names, suite):
        if (commit := commits.get(spec.hub.id)) is None:
            commit = commits[spec.hub.id] = _newest(spec)
        if isinstance(commit, AltTrainError):
            print(f"eval.run: {commit}", file=sys.stderr)
            failed = True
            continue
        print(f"{spec.name}={commit}")
        if spec.hub.revision not in (None, commit):
            print(
                f"eval.run: {spec.name} is pinned to {spec.hub.revision}, which is not the newest commit",
                file=sys.stderr,
            )
    return 3 if failed else 0


def _requested(names: list[str] | None, suite: str | None) -> list[SetSpec]:
    if names or suite:
        return [specs()[name] for name in chosen(names, suite) if name in specs()]  # the probes are not on the Hub
    return [spec for spec in specs().values() if spec.hub.id and spec.hub.revision is None]


def _newest(spec: SetSpec) -> str | AltTrainError:
    try:
        return newest(spec)
    except AltTrainError as error:
        return error
