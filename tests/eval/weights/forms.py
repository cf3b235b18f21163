"""One tiny QLoRA adapter in every form in which it can be measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.export.export import ExportRequest, export
from axolotl_alttrain.generation.quantization import NF4
from axolotl_alttrain.generation.trained.export_record import RECORD_FILE

DESCRIPTION = "adapter merged into the NF4 base it was trained on"


@dataclass(frozen=True)
class Forms:
    """A base, an adapter that was trained on it in NF4, an export of both, and a merge without a record."""

    base: Path
    adapter: Path
    exported: Path
    merged: Path


def make_forms(tiny: tuple[Path, Path], folder: Path) -> Forms:
    """Every form of the tiny adapter, with a base that NF4 changes."""
    base, adapter = tiny[0], folder / "adapter"
    shutil.copytree(tiny[1], adapter)
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    (adapter / "config.json").write_text(json.dumps(config | {"quantization_config": NF4}), encoding="utf-8")
    exported, merged = folder / "exported", folder / "merged"
    export(ExportRequest(str(adapter), exported, str(base), dtype="float32"))
    shutil.copytree(exported, merged, ignore=shutil.ignore_patterns(RECORD_FILE))
    return Forms(base, adapter, exported, merged)
