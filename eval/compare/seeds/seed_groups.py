"""Groups of runs: the same recipe trained with several seeds, and single runs such as their base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.compare.runs import Run, check_pairs
from axolotl_alttrain.eval.weights.form import shown

from axolotl_alttrain.errors import AltTrainError


@dataclass(frozen=True)
class SeedGroup:
    """Trainings that differ in their seed alone, or one single run.

    Attributes:
        name: In tables and for ``--reference``.
        runs: One of each training, all asked in the same way.
        trained: Whether the runs are trainings; False for a base.
    """

    name: str
    runs: tuple[Run, ...]
    trained: bool = True

    @property
    def folders(self) -> list[str]:
        """Where the runs were found."""
        return list(dict.fromkeys(folder for run in self.runs for folder in run.folders))


def parse_groups(given: Sequence[Sequence[str]]) -> dict[str, list[Path]]:
    """Folders by name from ``--seeds NAME=RUN RUN ...``.

    Raises:
        AltTrainError: A group has no name, no folder, or the name of another.
    """
    groups: dict[str, list[Path]] = {}
    for first, *others in given:
        name, equals, folder = first.partition("=")
        if not (name and equals and folder):
            raise AltTrainError(f"--seeds {first}: write it as NAME=RUN RUN RUN, one results folder for each seed")
        if name in groups:
            raise AltTrainError(f"--seeds {first}: there is another group {name}; give each a name of its own")
        groups[name] = [Path(one) for one in (folder, *others)]
    return groups


def load_groups(
    seeds: Mapping[str, Sequence[Path]], others: Sequence[Path] = (), ignore: Sequence[str] = ()
) -> list[SeedGroup]:
    """The groups, after the runs beside them: the base that was asked in their folders, and the runs of ``others``.

    Args:
        seeds: Folders by group, one for each training seed.
        others: Folders of single runs.
        ignore: Settings that may differ.

    Raises:
        AltTrainError: A folder is in two groups or holds no finished run, the runs of a group were not asked in the
            same way or have different forms, or two of its folders hold the same adapter.
    """
    folders = [folder for some in seeds.values() for folder in some]
    if doubled := [str(folder) for folder in folders if folders.count(folder) > 1]:
        raise AltTrainError(f"--seeds: {doubled[0]} is given twice; give each folder once")
    everything = [*folders, *(folder for folder in others if folder not in folders)]
    runs = load_runs(everything)
    labels = {f: f.name if sum(o.name == f.name for o in everything) == 1 else str(f) for f in everything}
    groups = []
    for name, some in seeds.items():
        found = tuple(_trained(runs, folder, labels[folder]) for folder in some)
        _check(name, found, ignore)
        groups.append(SeedGroup(name, found))
    used = {id(run) for group in groups for run in group.runs}
    taken = {group.name for group in groups}
    single = [SeedGroup(_free(run.name, taken), (run,), run.adapter is not None) for run in runs if id(run) not in used]
    return [*single, *groups]


def _trained(runs: Sequence[Run], folder: Path, label: str) -> Run:
    """The trained run of a folder; the only run of a folder that has one alone."""
    here = [run for run in runs if label in run.folders]
    trained = [run for run in here if run.adapter is not None] or here
    if len(trained) != 1:
        names = ", ".join(run.name for run in here)
        raise AltTrainError(f"--seeds: {folder} has the runs {names}; give a folder with one trained run")
    return trained[0]


def _check(name: str, runs: Sequence[Run], ignore: Sequence[str]) -> None:
    first = runs[0]
    for other in runs[1:]:
        if other is first or (first.adapter_identity and other.adapter_identity == first.adapter_identity):
            places = ", ".join(dict.fromkeys((*first.folders, *other.folders)))
            raise AltTrainError(
                f"--seeds {name}: {places} hold the same adapter; give one folder for each training seed"
            )
        if first.form and other.form and first.form.words != other.form.words:
            raise AltTrainError(
                f"--seeds {name}: {first.name} measures '{shown(first.form)}' and {other.name} '{shown(other.form)}'; "
                "give folders of one form"
            )
        check_pairs(first, other, ignore)


def _free(name: str, taken: set[str]) -> str:
    return f"{name} (run)" if name in taken else name
