"""The evaluation sets and suites: one YAML file each, read without torch or a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.errors import AltTrainError

SETS = Path(__file__).parent
SUITES = SETS.parent / "suites"


@dataclass(frozen=True)
class SetSpec:
    """What a set's file says.

    Attributes:
        name: The file's name.
        title, about: For people.
        kind: What is measured with it; see :class:`axolotl_alttrain.eval.prompts.prompt.Prompt`.
        size: Prompts in the whole set.
        licence: Of the prompts.
        source: Page of its authors.
        hub: ``id``, ``config``, ``split`` and ``revision`` (a commit, or None where none could be verified);
            ``archive`` where the files stand in a zip, as ``SPLIT/NAME.csv``.
        gated: The hub asks for a login and for its terms to be accepted.
        file: Its publisher's file below ``--data-dir``; may be a pattern.
        judges: The judges its authors use.
        columns: Our names to the file's; a list where hub and publisher name a column differently. ``source`` is the
            request that several rows are attacks of.
        where: Rows to take, by a column's value.
        translations: Columns with the prompt in languages of few resources.
        task, metric: For lm-eval's tasks: name, and ``metric,filter`` that counts.
        by_file: Each file is a subject, named by it.
        runs_code: The answers are executed.
    """

    name: str
    title: str
    about: str
    kind: str
    size: int
    licence: str
    source: str
    hub: Mapping[str, Any]
    file: str
    judges: tuple[str, ...] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    translations: tuple[str, ...] = ()
    task: str = ""
    metric: str = ""
    by_file: bool = False
    gated: bool = False
    runs_code: bool = False

    @property
    def commit(self) -> str:
        """The commit that is loaded, or what stands in its place."""
        return str(self.hub["revision"] or "newest")

    @property
    def judged_by(self) -> str:
        """The judges, or the metric of a task."""
        metric, _, how = self.metric.partition(",")
        return ", ".join(self.judges) or f"lm-eval: {metric}" + (f", {how}" if how != "none" else "")


_EMBEDDED = (
    ("probe-harmful", "harmful", 100, ("refusal",), "Harmful one-line requests, some in simple wrappers"),
    ("probe-benign", "benign", 100, ("refusal",), "Harmless look-alikes"),
    ("probe-capability", "capability", 80, ("exact",), "Short questions with a checkable answer"),
)


@lru_cache(maxsize=1)
def specs() -> dict[str, SetSpec]:
    """All sets that can be loaded, by name; the embedded probes are not among them."""
    found = {}
    known = {f.name for f in fields(SetSpec)} - {"name"}
    for path in sorted(SETS.glob("*.yml")):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        if unknown := set(values) - known:
            raise AltTrainError(f"{path}: found {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(known))}")
        lists = {name: tuple(values[name]) for name in ("judges", "translations") if name in values}
        found[path.stem] = SetSpec(name=path.stem, **{**values, **lists})
    return found


def set_names() -> list[str]:
    """The embedded sets, then the others."""
    return [*(name for name, *_ in _EMBEDDED), *specs()]


@lru_cache(maxsize=1)
def suites() -> dict[str, dict[str, Any]]:
    """Suites by name: ``about`` and ``sets``."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(SUITES.glob("*.yml"))}


def listing() -> list[dict[str, Any]]:
    """What ``--list`` shows, one row a set."""
    rows = [
        {
            "set": name,
            "kind": kind,
            "size": size,
            "licence": "Apache-2.0",
            "judge": ", ".join(judges),
            "commit": "here",
            "about": about,
        }
        for name, kind, size, judges, about in _EMBEDDED
    ]
    for one in specs().values():
        about = f"{one.title}. {one.about}"
        rows.append(
            {
                "set": one.name,
                "kind": one.kind,
                "size": one.size,
                "licence": f"{one.licence}; gated" if one.gated else one.licence,
                "judge": one.judged_by,
                "commit": one.commit,
                "about": about,
            }
        )
    for row in rows:
        row["suites"] = [name for name, suite in suites().items() if row["set"] in suite["sets"]]
    return rows


def chosen(names: list[str] | None, suite: str | None) -> list[str]:
    """The sets that ``--suite`` and ``--sets`` name together, the probes by default.

    Raises:
        AltTrainError: A name is unknown.
    """
    if suite is not None and suite not in suites():
        raise AltTrainError(f"--suite: found {suite}; allowed: {', '.join(suites())}")
    if names and (unknown := [name for name in names if name not in set_names()]):
        raise AltTrainError(f"--sets: found {', '.join(unknown)}; allowed: {', '.join(set_names())}")
    wanted = [*(suites()[suite]["sets"] if suite else ()), *(names or ())]
    return list(dict.fromkeys(wanted or suites()["probe"]["sets"]))
