"""What stands beside the weights so that engines load and stop as the evaluator does: configs and tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export.chat_template import with_defaults
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.stopping import stop_ids

# Set for training only.
_TRAINING_ONLY = (
    "quantization_config",
    "_name_or_path",
    "_model_name_or_path",
    "_attn_implementation_autoset",
    "use_cache",
)


def model_config(base: Path, trained: dict[str, Any]) -> Any:
    """The config of the model as it was trained, in full precision.

    Args:
        base: The base model's folder.
        trained: The config beside the adapter; empty if there is none.

    Returns:
        A config of transformers: the trained one where there is one, otherwise the base's.

    Raises:
        AltTrainError: The base is stored quantised, the config is unreadable, or the two are of different models.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(str(base), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise AltTrainError(f"{base}: config.json is unreadable ({error})") from None
    if found := getattr(config, "quantization_config", None):
        kind = found.get("quant_method") if isinstance(found, dict) else getattr(found, "quant_method", "unknown")
        raise AltTrainError(
            f"{base} is stored quantised ({getattr(kind, 'value', kind)}); name the full-precision model with --model"
        )
    if not trained:
        return config
    if trained.get("model_type") != config.model_type:
        raise AltTrainError(
            f"the adapter was trained on a model of type {trained.get('model_type')}, and {base} is of type "
            f"{config.model_type}; name its base with --model"
        )
    kept = {name: value for name, value in trained.items() if name not in _TRAINING_ONLY}
    return type(config).from_dict({**kept, "use_cache": getattr(config, "use_cache", True)})


def write_config(config: Any, folder: Path, model: Any, dtype: str, tied: bool) -> None:
    """Write ``config.json``.

    Args:
        config: The model's config, with the vocabulary that was trained.
        folder: Where to.
        model: Of transformers, for its class.
        dtype: Of the weights.
        tied: Whether input and output embeddings are one tensor.
    """
    import torch

    config.architectures = [type(model).__name__]
    config.tie_word_embeddings = tied
    for part in {id(one): one for one in (config, config.get_text_config())}.values():
        part.dtype = getattr(torch, dtype)
    config.save_pretrained(folder)


def write_tokenizer(chat: ChatFormat, folder: Path) -> None:
    """Write the tokenizer with the trained template, see :func:`axolotl_alttrain.export.chat_template.with_defaults`.

    Args:
        chat: The chat format of the training; its tokenizer may have been changed for left padding.
        folder: Where to.
    """
    tokenizer = chat.tokenizer
    tokenizer.chat_template = with_defaults(chat)
    tokenizer.save_pretrained(folder)


def write_generation_config(chat: ChatFormat, base: Path, config: Any, folder: Path) -> list[int]:
    """Write ``generation_config.json``: the base's sampling, and every id that ends a completion.

    Args:
        chat: The chat format of the training.
        base: The base model's folder.
        config: The model's config.
        folder: Where to.

    Returns:
        The ids.
    """
    path = base / "generation_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    settings.pop("_from_model_config", None)  # or transformers would replace the ids by the config's
    stops = stop_ids(chat.tokenizer, chat.thought.end, SimpleNamespace(
        generation_config=SimpleNamespace(eos_token_id=settings.get("eos_token_id")), config=config
    ))  # fmt: skip
    settings |= {"eos_token_id": stops, "pad_token_id": chat.tokenizer.pad_token_id}
    if chat.tokenizer.bos_token_id is not None:
        settings["bos_token_id"] = chat.tokenizer.bos_token_id
    (folder / path.name).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return stops
