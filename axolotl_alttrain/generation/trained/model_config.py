"""What Axolotl saves beside an adapter about its training: the model's config, and with it the vocabulary's size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, first_line

_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
# Endings of a tensor's name in an adapter, and its dimension that counts the vocabulary.
_INPUT_ROWS = {".weight": 0, ".base_layer.weight": 0, ".token_adapter.base_layer.weight": 0, ".lora_embedding_A": 1}
_OUTPUT_ROWS = {".weight": 0, ".base_layer.weight": 0, ".token_adapter.base_layer.weight": 0, ".lora_B.weight": 0}


def unreadable_adapter(name: str, error: Exception) -> AltTrainError:
    """What to say of an adapter whose config cannot be read."""
    if Path(name).is_dir():
        return AltTrainError(f"{name} holds no adapter ({first_line(error, 200)}); give the adapter's folder")
    return AltTrainError(
        f"{name}: there is no such folder, and no such adapter on the Hub or no way to reach it; train it first, or "
        "give an adapter's folder or Hub ID"
    )


def trained_config(adapter: str | None, revision: str | None = None) -> dict[str, Any]:
    """The model config that Axolotl saves beside an adapter, after all changes that the training made to it.

    Args:
        adapter: Folder or hub id of a PEFT adapter. For a local ``checkpoint-N`` without a config, the one in its
            parent folder is read.
        revision: Commit, tag or branch of a hub id.

    Returns:
        The config; empty if there is none.
    """
    if adapter is None:
        return {}
    folder = Path(adapter)
    if folder.name.startswith("checkpoint-") and folder.is_dir() and not (folder / "config.json").is_file():
        adapter = str(folder.absolute().parent)
    return read_model_config(adapter, revision)


def read_model_config(name: str, revision: str | None = None) -> dict[str, Any]:
    """``config.json`` of a folder or hub id; empty where there is none, as beside an adapter alone."""
    from transformers import PretrainedConfig

    try:
        config, _ = PretrainedConfig.get_config_dict(name, revision=revision)
    except (OSError, ValueError):
        return {}
    return dict(config)


def trained_vocabulary(model: Any, adapter: str, tokens: int) -> int:
    """Rows of the embeddings during training, which may be more (or fewer) than the base has.

    The adapter's own tensors say it where it trains or stores embeddings; otherwise the config beside it, otherwise
    the tokenizer, to whose length Axolotl grows a model (``ModelLoader._resize_token_embeddings``).

    Args:
        model: The base model of transformers; it may be on the meta device.
        adapter: Folder of a PEFT adapter.
        tokens: Length of the tokenizer of the training.
    """
    for rows in _stored_rows(model, Path(adapter) / _WEIGHTS):
        return rows
    config = trained_config(adapter)
    stored = (config.get("text_config") or config).get("vocab_size")
    if stored:
        return int(stored)
    return max(tokens, int(model.get_input_embeddings().weight.shape[0]))


def unmatched_tensors(model: Any, adapter: str) -> list[str]:
    """LoRA tensors that a model has and its adapter does not store, or the reverse; peft skips both.

    So a base with more or fewer layers would answer with a part of the adapter. Experts are left out, because peft may
    store them under other names than it loads them.

    Args:
        model: A ``PeftModel`` with the adapter.
        adapter: Its folder.
    """
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    file = Path(adapter) / _WEIGHTS
    if not file.is_file():
        return []
    with safe_open(file, framework="pt") as tensors:
        stored = set(tensors.keys())
    placed = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    return sorted(name for name in stored ^ placed if ".lora_" in name and "expert" not in name)


def fit_vocabulary(model: Any, rows: int) -> None:
    """Resize a model's embeddings to the training's vocabulary; its new rows are the mean of the others.

    Rows that the training changed are in the adapter and replace these. Rows that it added but did not train, such as
    a pad token's, were random; the mean is what transformers would choose, without the chance.

    Args:
        model: A model of transformers.
        rows: See :func:`trained_vocabulary`.
    """
    import torch

    before = int(model.get_input_embeddings().weight.shape[0])
    if rows == before:
        return
    model.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        for module in (model.get_input_embeddings(), model.get_output_embeddings()):
            weight = getattr(module, "weight", None)
            if weight is not None and not weight.is_meta:
                weight.copy_(with_rows(weight[:before], rows))


def with_rows(weight: Any, rows: int) -> Any:
    """An embedding matrix of shape (vocabulary, width) with ``rows`` rows: cut off, or filled up with their mean."""
    import torch

    missing = rows - weight.shape[0]
    if missing <= 0:
        return weight[:rows]
    mean = weight.float().mean(dim=0, keepdim=True).to(weight.dtype)
    return torch.cat([weight, mean.expand(missing, -1)])


def _stored_rows(model: Any, file: Path) -> Iterator[int]:
    from safetensors import safe_open

    if not file.is_file():
        return
    modules = {id(module): name for name, module in model.named_modules()}
    with safe_open(file, framework="pt") as tensors:
        names = set(tensors.keys())
        for module, endings in (
            (model.get_input_embeddings(), _INPUT_ROWS),
            (model.get_output_embeddings(), _OUTPUT_ROWS),
        ):
            name = _PREFIX + modules.get(id(module), "")
            for ending, dimension in endings.items():
                if name + ending in names:
                    yield int(tensors.get_slice(name + ending).get_shape()[dimension])
