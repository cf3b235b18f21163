"""What enters a sample's key of model, adapter and template."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from axolotl_alttrain.template import ChatFormat

_WEIGHTS = ("*.safetensors", "*.bin")


def template_identity(chat: ChatFormat) -> str:
    """Digest of a chat template and its variables."""
    content = json.dumps([chat.chat_template, dict(chat.kwargs)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def identity(name: str | None) -> str:
    """What a model or adapter is: its name, and for a local folder a digest that changes when it is retrained."""
    if not name or not Path(name).is_dir():
        return name or ""
    folder = Path(name)
    digest = hashlib.sha256()
    for config in sorted(folder.glob("*config.json")):
        digest.update(config.read_bytes())
    for weights in sorted(file for pattern in _WEIGHTS for file in folder.glob(pattern)):
        size = weights.stat().st_size
        digest.update(f"{weights.name} {size}".encode())
        with weights.open("rb") as file:
            for start in range(0, size, max(1, size // 16)):  # 16 slices tell two trainings apart without a full read
                file.seek(start)
                digest.update(file.read(65536))
    return json.dumps([folder.name, digest.hexdigest()[:16]])
