"""``axolotl alttrain export``: from base and adapter to one folder that computes what was trained."""

from __future__ import annotations

import logging
import os.path
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from axolotl_alttrain.compat import DISTRIBUTION, snapshot
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export.base_form import BaseForm, quantized_modules
from axolotl_alttrain.export.base_weights import BaseWeights
from axolotl_alttrain.export.card import quantization_in_words, readme
from axolotl_alttrain.export.merging import MergedWeights
from axolotl_alttrain.export.shards import Planned, ShardWriter
from axolotl_alttrain.export.side_files import model_config, write_config, write_generation_config, write_tokenizer
from axolotl_alttrain.export.skeleton import Skeleton, check_layout, empty_model, skeleton
from axolotl_alttrain.export.target_folder import check_space, check_target, new_folder
from axolotl_alttrain.format.reasoning.off_mode import learn_off_mode
from axolotl_alttrain.generation.demo_model import DEMO_MODEL, model_folder, resolve_model
from axolotl_alttrain.generation.identity import Located
from axolotl_alttrain.generation.loading import (
    ModelSpec,
    find_model,
    load_tokenizer,
    recorded_format_of,
    tokenizer_source,
)
from axolotl_alttrain.generation.quantization import trained_quantization
from axolotl_alttrain.generation.trained.export_record import ExportRecord, Form, Source, write_export_record
from axolotl_alttrain.generation.trained.model_config import trained_config, trained_vocabulary, unreadable_adapter

LOG = logging.getLogger(__name__)
Dtype = Literal["bfloat16", "float16", "float32"]
_BASE_FILES = ("*.safetensors", "*.json", "*.txt", "*.jinja", "*.model")
_LIBRARIES = (DISTRIBUTION, "axolotl", "torch", "transformers", "peft", "bitsandbytes")


@dataclass(frozen=True)
class ExportRequest:
    """What to export, and how.

    Attributes:
        adapter: Folder or hub id of a LoRA or DoRA adapter.
        target: The folder to write.
        model: Folder or hub id of the base; by default the one that the adapter's config names.
        form: ``as-trained``, or ``merged-full`` for the full-precision base.
        dtype: Of the saved weights.
        largest_shard: Bytes of the largest weights file.
        thought_format: As in the training's config.
    """

    adapter: str
    target: Path
    model: str | None = None
    form: Form = "as-trained"
    dtype: Dtype = "bfloat16"
    largest_shard: int = 5 * 10**9
    thought_format: str = "auto"


@dataclass(frozen=True)
class Progress:
    """What an export reports while it runs.

    Attributes:
        total: The number of tensors that will be written.
        advance: Called after each.
    """

    total: Callable[[int], None] = lambda count: None
    advance: Callable[[], None] = lambda: None


def export(request: ExportRequest, progress: Progress | None = None) -> ExportRecord:
    """Write the export; the target folder is complete afterwards, or as it was before.

    Raises:
        AltTrainError: Base or adapter cannot be loaded or exported exactly, or the target cannot be written.
    """
    name = request.model or _base_of(request.adapter)
    spec = ModelSpec(name, request.adapter)
    found = find_model(spec)
    assert found.adapter is not None
    check_target(request.target, (name, found.adapter))
    base = Path(snapshot(name, revision=found.commit, allow_patterns=list(_BASE_FILES))) if found.commit else Path(name)
    tokenizer = load_tokenizer_of(name, found)
    recorded = recorded_format_of(name, found)
    chat = recorded.learn(tokenizer, request.thought_format)
    if recorded.thinking == "off":
        chat = learn_off_mode(chat)
    trained = trained_config(found.adapter)
    config = model_config(base, trained)
    with BaseWeights(base) as weights:
        frame = _skeleton(config, weights, Path(found.adapter), len(tokenizer))
        quantization = trained_quantization(found.adapter)
        used = quantization if request.form == "as-trained" else None
        merged = MergedWeights(frame, weights, _base_form(frame, used, trained, config, request.form))
        if not trained:
            LOG.warning("%s has no config.json of its training; assuming a base in full precision", request.adapter)
        for matrix, rows in merged.lost_rows.items():
            LOG.warning("%s: the adapter does not hold the %d rows that training added; using the mean", matrix, rows)
        planned = _plan(merged, request.dtype)
        check_space(request.target, sum(tensor.bytes for tensor in planned))
        with new_folder(request.target) as folder:
            _write_weights(merged, planned, folder, request.largest_shard, progress or Progress())
            tied = bool(config.tie_word_embeddings) and not merged.untied
            write_config(frame.plain.config, folder, frame.plain, request.dtype, tied)
            write_generation_config(chat, base, config, folder)
            record = _record(
                request, name, found, quantization, used, bool(trained), frame.vocab_size, dict(chat.kwargs)
            )
            write_tokenizer(chat, folder)
            write_export_record(record, folder)
            (folder / "README.md").write_text(
                readme(record, request.target.absolute().name, request.dtype), encoding="utf-8"
            )
    return record


def load_tokenizer_of(name: str, found: Located) -> Any:
    """The tokenizer of the training: the one beside the adapter, otherwise the base's."""
    place, commit = tokenizer_source(name, found)
    return load_tokenizer(place, f"the tokenizer of {place}", commit)


def _base_of(adapter: str) -> str:
    from peft import PeftConfig

    try:
        name = PeftConfig.from_pretrained(adapter).base_model_name_or_path
    except (OSError, ValueError, TypeError) as error:
        raise unreadable_adapter(adapter, error) from None
    if not name:
        raise AltTrainError(f"{adapter}: its config names no base model; add --model")
    return resolve_model(str(name))


def _skeleton(config: Any, weights: BaseWeights, adapter: Path, tokens: int) -> Skeleton:
    """The trained model without its weights."""
    plain = empty_model(config)
    check_layout(plain, weights)
    return skeleton(plain, trained_vocabulary(plain, str(adapter), tokens), adapter)


def _base_form(
    frame: Skeleton, used: dict[str, Any] | None, trained: dict[str, Any], config: Any, form: Form
) -> BaseForm:
    """What the training made of the base, or nothing for the full-precision merge."""
    import torch

    if form == "merged-full":
        return BaseForm(None, None)
    dtype = _dtype(trained.get("dtype") or trained.get("torch_dtype") or config.dtype)
    if not used:
        return BaseForm(dtype, dtype)
    compute = torch.float32 if used.get("load_in_8bit") else _dtype(used.get("bnb_4bit_compute_dtype"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return BaseForm(dtype, compute, quantized_modules(frame.plain, used), device)


def _dtype(named: Any) -> Any:
    import torch

    return getattr(torch, str(named or "float32").removeprefix("torch."))


def _plan(merged: MergedWeights, dtype: Dtype) -> list[Planned]:
    """All tensors to be written, in the order of :meth:`MergedWeights.tensors`."""
    shapes = merged.skeleton.plain.state_dict()
    left_out = set() if merged.untied else set(merged.skeleton.tied)
    names = [f"{module}.{name}" if module else name for module, names in merged.modules.items() for name in names]
    return [
        Planned(
            name,
            tuple(shapes[name].shape),
            dtype if shapes[name].is_floating_point() else str(shapes[name].dtype).removeprefix("torch."),
        )
        for name in names
        if name not in left_out
    ]


def _write_weights(
    merged: MergedWeights, planned: list[Planned], folder: Path, largest: int, progress: Progress
) -> None:
    progress.total(len(planned))
    types = {tensor.name: _dtype(tensor.dtype) for tensor in planned}
    with ShardWriter(folder, planned, largest) as writer:
        for module in merged.modules:
            for name, tensor in merged.tensors(module):
                writer.write(name, tensor.to(types[name]))
                progress.advance()


def _record(
    request: ExportRequest,
    name: str,
    found: Located,
    quantization: dict[str, Any] | None,
    used: dict[str, Any] | None,
    known: bool,
    vocab_size: int,
    thinking: dict[str, Any],
) -> ExportRecord:
    return ExportRecord(
        form=request.form,
        description=in_words(quantization, used, known),
        base=_source(name, found.identities[0], found.commit, request.target),
        adapter=_source(request.adapter, found.identities[1], _commit(request.adapter, found), request.target),
        trained_quantization=quantization,
        base_quantization=used,
        training_known=known,
        dtype=request.dtype,
        vocab_size=vocab_size,
        thinking=thinking,
        versions={library: version(library) for library in _LIBRARIES},
        created=datetime.now(UTC).replace(microsecond=0),
    )


def in_words(quantization: dict[str, Any] | None, used: dict[str, Any] | None, known: bool = True) -> str:
    """Which weights an export holds, as a noun phrase.

    Args:
        quantization: Of the base during training.
        used: Of the base to which the adapter was added.
        known: Whether the adapter's training said how it loaded the base.
    """
    if not known:
        return "adapter merged into the full-precision base; how the base was loaded during training is unknown"
    kind = quantization_in_words(quantization).partition(",")[0]
    if not quantization:
        return "adapter merged into the full-precision base it was trained on"
    if used:
        return f"adapter merged into the {kind} base it was trained on"
    return f"adapter merged into the full-precision base; it was trained on the {kind} base"


def _commit(adapter: str, found: Located) -> str | None:
    """The commit of a hub's adapter, from its identity."""
    return None if Path(adapter).is_dir() else found.identities[1].rpartition("@")[2]


def _source(name: str, identity: str, commit: str | None, target: Path) -> Source:
    folder = Path(name).absolute()
    if folder == model_folder().absolute():
        return Source(name=DEMO_MODEL, identity=identity, location=DEMO_MODEL)
    if not folder.is_dir():
        return Source(name=name, identity=identity, location=name, commit=commit)
    # A path through the root of the file system would publish the machine's folders.
    shared = Path(os.path.commonpath([folder, target.absolute()]))
    near = os.path.relpath(folder, target) if shared != Path(shared.anchor) else folder.name
    return Source(name=folder.name, identity=identity, location=near)
