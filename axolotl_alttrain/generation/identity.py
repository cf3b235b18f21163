"""What a model, an adapter or a template is, as it enters the keys of answers: its content, not its path."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.compat import snapshot
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.template import ChatFormat

_WEIGHTS = ("*.safetensors", "*.bin")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_ADAPTER_FILES = ("adapter_model*", "*.json", "*.jinja", "*.txt", "tokenizer*")


@dataclass(frozen=True)
class Located:
    """A model and its adapter, each pinned to a commit.

    Attributes:
        commit: The model's commit on the hub; None for a local folder.
        adapter: The adapter's folder.
        identities: Of model and adapter, see :func:`identity`.
    """

    commit: str | None
    adapter: str | None
    identities: tuple[str, str]


def locate(
    model: str, adapter: str | None, model_revision: str | None = None, adapter_revision: str | None = None
) -> Located:
    """Resolve hub ids to their present commits, so that all files come from one commit; download a hub's adapter.

    Args:
        model, adapter: Folder or hub id.
        model_revision, adapter_revision: Commit, tag or branch of a hub id; its main branch where None.

    Raises:
        OSError: A repository or its config is unavailable.
        ValueError: The name cannot be a repository's.
        AltTrainError: A folder's weights are pickled. For a model on the hub, loaders are told to read safetensors.
    """
    _refuse_pickles(model)
    commit, folder, fetched = None, adapter, None
    if not Path(model).is_dir():
        from transformers.utils.hub import cached_file, extract_commit_hash

        commit = extract_commit_hash(cached_file(model, "config.json", revision=model_revision), None)
    if adapter and not Path(adapter).is_dir():
        folder = snapshot(
            adapter, revision=adapter_revision, allow_patterns=list(_ADAPTER_FILES), ignore_patterns=["*/*"]
        )
        fetched = Path(folder).name  # the hub's cache has one folder per commit
    _refuse_pickles(folder)
    return Located(commit, folder, (identity(model, commit), identity(adapter, fetched)))


def _refuse_pickles(name: str | None) -> None:
    """Refuse a folder with weights, none of them in safetensors: to unpickle a file is to run what it says."""
    if not name or not Path(name).is_dir() or any(Path(name).glob("*.safetensors")):
        return
    pickled = sorted(file for ending in _PICKLES for file in Path(name).glob(ending) if file.stem != "training_args")
    if pickled:
        raise AltTrainError(
            f"{pickled[0]}: pickled weights can run code and are not loaded; save the model or adapter again with "
            "save_pretrained, which writes safetensors"
        )


def template_identity(chat: ChatFormat) -> str:
    """Digest of a chat template, its variables and the date it writes."""
    content = json.dumps([chat.chat_template, dict(chat.kwargs), *filter(None, [chat.date])], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def identity(name: str | None, commit: str | None = None) -> str:
    """What a model or adapter is: hub id and commit, or a folder's name and a digest that changes with retraining.

    Args:
        name: Folder or hub id; None or "" for no adapter.
        commit: The commit of a hub id.
    """
    if not name or not Path(name).is_dir():
        return f"{name}@{commit}" if commit else name or ""
    folder = Path(name)
    digest = hashlib.sha256()
    for config in sorted(folder.glob("*config.json")):
        digest.update(config.read_bytes())
    for weights in sorted(file for pattern in _WEIGHTS for file in folder.glob(pattern)):
        size = weights.stat().st_size
        digest.update(f"{weights.name} {size}".encode())
        with weights.open("rb") as file:
            for start in range(0, size, max(1, size // 16)):  # 16 slices suffice to distinguish two trainings
                file.seek(start)
                digest.update(file.read(65536))
    return json.dumps([folder.name, digest.hexdigest()[:16]])
