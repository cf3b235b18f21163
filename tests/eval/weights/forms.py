"""One tiny QLoRA adapter in every form in which it can be measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.generation.export_record import ExportRecord, Source, write_export_record
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4

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
    save_merged(base, adapter, exported)
    shutil.copytree(exported, merged)
    write_export_record(record(base, adapter), exported)
    return Forms(base, adapter, exported, merged)


def save_merged(base: Path, adapter: Path, to: Path) -> None:
    """The adapter merged into the dequantised base in float32, with its tokenizer."""
    loaded = load_model(ModelSpec(str(base), str(adapter), quantization=NF4, dtype="float32"))
    loaded.model.merge_and_unload().save_pretrained(to)
    loaded.tokenizer.save_pretrained(to)


def record(base: Path, adapter: Path) -> ExportRecord:
    """As ``axolotl alttrain export`` writes it."""
    return ExportRecord(
        form="as-trained",
        description=DESCRIPTION,
        base=Source(name=base.name, identity=identity(str(base)), location=str(base)),
        adapter=Source(name=adapter.name, identity=identity(str(adapter)), location=str(adapter)),
        trained_quantization=NF4,
        base_quantization=NF4,
        dtype="float32",
        vocab_size=1,
        versions={},
        created=datetime.now(UTC),
    )
