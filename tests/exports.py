"""A tiny model, trained as QLoRA, in the forms in which it may be exported."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4


@dataclass(frozen=True)
class Exports:
    """Folders: the base, the QLoRA adapter, its exact merge, and its merge into the full-precision base."""

    base: Path
    adapter: Path
    exact: Path
    full: Path


@pytest.fixture(scope="session")
def exports(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Exports:
    base, lora = tiny
    folder = tmp_path_factory.mktemp("exports")
    adapter = folder / "adapter"
    shutil.copytree(lora, adapter)
    config = json.loads((base / "config.json").read_text()) | {"quantization_config": NF4}
    (adapter / "config.json").write_text(json.dumps(config))
    found = Exports(base, adapter, folder / "exact", folder / "full")
    for target, quantization in ((found.exact, NF4), (found.full, None)):
        merge(base, adapter, quantization, target)
    return found


def merge(base: Path, adapter: Path, quantization: dict[str, Any] | None, target: Path) -> None:
    loaded = load_model(ModelSpec(str(base), str(adapter), quantization=quantization, dtype="float32"))
    merged = loaded.model.merge_and_unload()
    merged.config.quantization_config = None
    del merged.config.quantization_config
    merged.save_pretrained(target)
    loaded.tokenizer.save_pretrained(target)
