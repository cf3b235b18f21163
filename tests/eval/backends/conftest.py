from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import llama_with_adapter


@pytest.fixture(scope="session")
def small(smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Like ``tiny``, with heads of 64 channels: vLLM has no attention for smaller ones."""
    sizes = {"hidden_size": 128, "intermediate_size": 128, "num_attention_heads": 2, "num_key_value_heads": 1}
    return llama_with_adapter(smollm2, tmp_path_factory.mktemp("small"), **sizes, max_position_embeddings=1024)


def completions(out: Path) -> dict[tuple[str, str, int], tuple[str, str, int]]:
    """By run, prompt and repeat: text, how it ended, and its length."""
    rows = map(json.loads, (out / "samples.jsonl").read_text().splitlines())
    return {(s["run"], s["id"], s["repeat"]): (s["completion"], s["finish"], s["tokens"]) for s in rows}
