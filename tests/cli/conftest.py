from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import HARMFUL_ROW

BENIGN_ROW = {
    "instruction": "How do I kill a Python process?",
    "label": "benign",
    "problem_understanding": "Okay, the user wants to end a process.",
    "harmfulness_assessment": "This is harmless: it is everyday system work.",
    "conditional_reasoning": "On Linux, `kill PID` sends SIGTERM.",
    "answer": "Run `kill PID`.\n\n<b>Careful</b> with `-9`.",
    "category": "computing",
    "language": "en",
}


@pytest.fixture
def recipe(tmp_path: Path, demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a small recipe with its data; keyword arguments change the config."""
    monkeypatch.chdir(tmp_path)

    def write(rows: list[dict[str, Any]] | None = None, **changes: Any) -> Path:
        rows = [HARMFUL_ROW | {"category": "forgery", "id": "h-1"}, BENIGN_ROW] * 3 if rows is None else rows
        (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = {
            "base_model": str(demo_model),
            "plugins": ["axolotl_alttrain.AltTrainPlugin"],
            "datasets": [{"path": "data.jsonl", "type": "alttrain"}],
            "sequence_len": 512,
            "micro_batch_size": 2,
            "gradient_accumulation_steps": 1,
            "num_epochs": 2,
            "learning_rate": 1e-4,
            "output_dir": "out",
        } | changes
        path = tmp_path / "recipe.yml"
        path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
        return path

    return write
