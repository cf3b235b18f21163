"""The folder of an export: written beside its final place and renamed, so that it is complete or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained.export_record import RECORD_FILE


def check_target(target: Path, sources: tuple[str, ...]) -> None:
    """Check that an export may be written to a folder.

    Args:
        target: The folder.
        sources: Folders or hub ids that the export reads.

    Raises:
        AltTrainError: It is a file, holds something other than an earlier export, or is or holds one of the sources.
    """
    if target.exists() and not target.is_dir():
        raise AltTrainError(f"--to {target}: it is a file; name a new folder")
    for source in sources:
        if Path(source).is_dir() and Path(source).resolve().is_relative_to(target.resolve()):
            raise AltTrainError(f"--to {target}: the export reads from there; name another folder")
    if target.is_dir() and any(target.iterdir()) and not (target / RECORD_FILE).is_file():
        raise AltTrainError(f"--to {target}: the folder is not empty and holds no export; name a new folder")


def check_space(target: Path, needed: int) -> None:
    """Check that the disk has room for the weights.

    Args:
        target: The folder.
        needed: Bytes.

    Raises:
        AltTrainError: It has not.
    """
    place = next(folder for folder in (target.absolute(), *target.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise AltTrainError(
            f"--to {target}: the weights need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; free some space "
            "or name a folder on another disk"
        )


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that takes the target's place if nothing fails; an earlier export is replaced only then."""
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch, replaced = (target.with_name(f".{target.name}.{os.getpid()}{end}") for end in ("", ".old"))
    scratch.mkdir()
    try:
        yield scratch
        if target.exists():
            target.rename(replaced)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if replaced.exists() and not target.exists():
            replaced.rename(target)
        shutil.rmtree(replaced, ignore_errors=True)
