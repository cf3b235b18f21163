"""The evaluation sets and suites, one YAML file each; reading them needs neither torch nor a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path

import yaml

from axolotl_alttrain.errors import AltTrainError

SETS = Path(__file__).parent
SUITES = SETS.parent / "suites"


@dataclass(frozen=True)
class HubSource:
    """Where a set is on the Hub.

    Attributes:
        id, config, split: As ``datasets.load_dataset`` takes them; ``id`` is empty for a set that is not on the Hub.
        revision: A commit; None if none could be verified.
        archive: The zip file that holds the files, as ``SPLIT/NAME.csv``; empty if they are in none.
    """

    id: str
    split: str
    revision: str | None
    config: str | None = None
    archive: str = ""


@dataclass(frozen=True)
class SetSpec:
    """The content of a set's file.

    Attributes:
        name: Name of the file.
        title, about: For people.
        kind: What the set measures; see :class:`axolotl_alttrain.eval.prompts.prompt.Prompt`.
        size: Number of prompts; None if it could not be verified.
        licence: Licence of the prompts.
        source: Page of the authors.
        hub: Where it is on the Hub.
        gated: Whether the Hub requires a login and accepted terms.
        file: The publisher's file in ``--data-dir``; may be a pattern.
        judges: The judges that the authors use.
        columns: Our column names to those of the file; a list if Hub and publisher use different names. ``source`` is
            the request that several rows attack.
        where: Values by column of the rows to take.
        translations: Columns with the prompt in low-resource languages.
        task, metric: For lm-eval tasks: their name, and the main metric as ``metric,filter``.
        by_file: Whether each file is a subject and names it.
        runs_code: Whether scoring executes the answers.
    """

    name: str
    title: str
    about: str
    kind: str
    size: int | None
    licence: str
    source: str
    hub: HubSource
    file: str
    judges: tuple[str, ...] = ()
    columns: Mapping[str, str | list[str]] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    translations: tuple[str, ...] = ()
    task: str = ""
    metric: str = ""
    by_file: bool = False
    gated: bool = False
    runs_code: bool = False

    @property
    def commit(self) -> str:
        """The pinned commit, or ``newest``."""
        return self.hub.revision or "newest"

    @property
    def judged_by(self) -> str:
        """The judges, or for a task its metric."""
        metric, _, how = self.metric.partition(",")
        return ", ".join(self.judges) or f"lm-eval: {metric}" + (f", {how}" if how != "none" else "")


@dataclass(frozen=True)
class Suite:
    """The content of a suite's file: what it is for, and the names of its sets."""

    about: str
    sets: list[str]


_REPORTED = (  # name, kind, size, judges, description
    ("probe-harmful", "harmful", 72, ("refusal",), "Harmful requests: plain, wrapped, multilingual, multi-turn"),
    ("probe-contrast", "contrast", 30, ("refusal",), "Harmful twins of harmless look-alikes: same words, other intent"),
    ("probe-benign", "benign", 105, ("refusal",), "Harmless look-alikes of 14 types"),
    ("probe-capability", "capability", 160, ("exact",), "Short questions with a checkable answer"),
)
EMBEDDED = (
    *_REPORTED,
    *(
        (f"{name}-open", kind, size, judges, f"As {name}: the half for choosing recipes")
        for name, kind, size, judges, _ in _REPORTED
    ),
)


@lru_cache(maxsize=1)
def specs() -> dict[str, SetSpec]:
    """All published sets by name, without the embedded probes."""
    found = {}
    known = {f.name for f in fields(SetSpec)} - {"name"}
    for path in sorted(SETS.glob("*.yml")):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        if unknown := set(values) - known:
            raise AltTrainError(f"{path}: found {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(known))}")
        lists = {name: tuple(values[name]) for name in ("judges", "translations") if name in values}
        found[path.stem] = SetSpec(name=path.stem, **{**values, **lists, "hub": HubSource(**values["hub"])})
    return found


def set_names() -> list[str]:
    """The names of the embedded sets, then those of the published ones."""
    return [*(name for name, *_ in EMBEDDED), *specs()]


@lru_cache(maxsize=1)
def suites() -> dict[str, Suite]:
    """Suites by name."""
    files = sorted(SUITES.glob("*.yml"))
    return {path.stem: Suite(**yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files}


def chosen(names: list[str] | None, suite: str | None) -> list[str]:
    """The sets that ``--suite`` and ``--sets`` name together, the probes by default.

    Raises:
        AltTrainError: A name is unknown.
    """
    if suite is not None and suite not in suites():
        raise AltTrainError(f"--suite: found {suite}; allowed: {', '.join(suites())}")
    if names and (unknown := [name for name in names if name not in set_names()]):
        raise AltTrainError(f"--sets: found {', '.join(unknown)}; allowed: {', '.join(set_names())}")
    wanted = [*(suites()[suite].sets if suite else ()), *(names or ())]
    return list(dict.fromkeys(wanted or suites()["probe"].sets))
