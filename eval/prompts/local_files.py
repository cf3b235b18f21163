"""The publisher's files of a set in ``--data-dir``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from axolotl_alttrain.eval.prompts.sets import SetSpec


def local_files(spec: SetSpec, data_dir: Path | None) -> list[Path]:
    """The files of a set in ``data_dir``; empty if there are none."""
    return sorted(data_dir.glob(spec.file)) if data_dir else []


def files_digest(paths: Sequence[Path]) -> str:
    """An identifier of local files: a hash of their names and content."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"sha256:{digest.hexdigest()[:16]}"
