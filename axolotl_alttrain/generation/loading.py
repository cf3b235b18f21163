"""Load a model: weights, adapter, tokenizer, chat template, stop tokens and identity, the same way for every user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axolotl_alttrain.errors import AltTrainError, TemplateError, with_type
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.demo_model import resolve_model
from axolotl_alttrain.generation.identity import Located, locate
from axolotl_alttrain.generation.quantization import bitsandbytes_config
from axolotl_alttrain.generation.stopping import stop_ids
from axolotl_alttrain.generation.trained.chat_format import UNRECORDED, TrainedFormat, recorded_format
from axolotl_alttrain.generation.trained.model_config import fit_vocabulary, trained_vocabulary, unmatched_tensors

if TYPE_CHECKING:
    import torch

    from axolotl_alttrain.generation.decoding import Decoded
    from axolotl_alttrain.generation.sampling import Pick


_REMEDY = "check the name and the network"


@dataclass(frozen=True)
class ModelSpec:
    """What to load, and how.

    Attributes:
        model: Folder or hub id, or ``alttrain-demo-model``.
        adapter: Folder or hub id of a PEFT adapter.
        model_revision, adapter_revision: Commit, tag or branch of a hub id; its main branch where None.
        quantization: bitsandbytes' ``quantization_config``; None without quantisation.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        flag: Names the model in error messages.
        tokenizer: Folder with the tokenizer and template to use instead of the model's own.
    """

    model: str
    adapter: str | None = None
    model_revision: str | None = None
    adapter_revision: str | None = None
    quantization: Mapping[str, Any] | None = None
    dtype: str = "auto"
    thought_format: str = "auto"
    flag: str = "--model"
    tokenizer: str | None = None


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model in evaluation mode.

    Attributes:
        model: The model of transformers, in a ``PeftModel`` where the spec names an adapter.
        tokenizer: Pads on the left.
        located: Where model and adapter were found; their identities enter keys.
        on_gpu: Whether the weights are on a GPU.
        thought_format: As in the spec.
        recorded: How the training rendered its prompts.
    """

    model: Any
    tokenizer: Any
    located: Located
    on_gpu: bool
    thought_format: str = "auto"
    recorded: TrainedFormat = UNRECORDED

    @cached_property
    def chat(self) -> ChatFormat:
        """The chat format.

        Raises:
            TemplateError: The tokenizer's chat template cannot be used.
        """
        return self.recorded.learn(self.tokenizer, self.thought_format)

    @cached_property
    def stop_ids(self) -> list[int]:
        """Token ids that end a completion, see :func:`axolotl_alttrain.generation.stopping.stop_ids`."""
        try:
            end = self.chat.thought.end
        except TemplateError:  # guards and assessors write no thought, so their templates need not take one
            end = ""
        return stop_ids(self.tokenizer, end, self.model)

    @property
    def longest(self) -> int | None:
        """The context in tokens; None where the model's config does not say."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    def complete(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_token: Callable[[int], None] | None = None,
        pick: Pick | None = None,
        skip_special_tokens: bool = False,
        generated: Sequence[Sequence[int]] = (),
    ) -> list[Decoded]:
        """Complete one batch of rendered prompts, greedily unless ``pick`` says otherwise.

        Args:
            prompts: Texts with their special tokens.
            max_new_tokens, on_token, pick: See :func:`axolotl_alttrain.generation.decoding.decode`.
            skip_special_tokens: See :func:`axolotl_alttrain.generation.decoding.completion_text`.
            generated: Token ids that follow each prompt; none by default.

        Returns:
            One completion per prompt, in order.
        """
        from axolotl_alttrain.generation.decoding import completion_text, decode, left_padded

        rows = self.tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
        if generated:
            rows = [[*row, *more] for row, more in zip(rows, generated, strict=True)]
        ids, mask = left_padded(rows, self.tokenizer.pad_token_id or 0, self.model.device)
        new = decode(self.model, ids, mask, self.stop_ids, max_new_tokens, on_token, pick)
        return [completion_text(self.tokenizer, row, self.stop_ids, skip_special_tokens) for row in new]

    def next_log_probabilities(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """See :func:`axolotl_alttrain.generation.decoding.next_log_probabilities`."""
        from axolotl_alttrain.generation.decoding import next_log_probabilities

        return next_log_probabilities(self.model, rows, self.tokenizer.pad_token_id or 0)


def find_model(spec: ModelSpec) -> Located:
    """Find the commits of a model and its adapter, and what they are, without loading them.

    Raises:
        AltTrainError: The model or the adapter cannot be found, or its weights are pickled.
    """
    name = resolve_model(spec.model)
    for flag, named in ((spec.flag, name), ("--adapter", spec.adapter)):
        if named and not Path(named).is_dir() and not _may_be_on_the_hub(named):
            raise AltTrainError(f"{flag} {named}: there is no such folder; check the path")
    try:
        return locate(name, spec.adapter, spec.model_revision, spec.adapter_revision)
    except AltTrainError:
        raise
    except Exception as error:  # the hub's client has many kinds
        raise _load_error(spec, error) from error


def load_model(spec: ModelSpec) -> LoadedModel:
    """Load a model on the GPUs that are there, or on the CPU.

    On a CPU, quantised weights are unpacked to float32 once: unpacking them for every token takes longer.

    Raises:
        AltTrainError: The model, its tokenizer or the adapter cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM

    on_gpu = torch.cuda.is_available()
    name = resolve_model(spec.model)
    found = find_model(spec)
    try:
        tokenizer = _tokenizer(*((spec.tokenizer, None) if spec.tokenizer else tokenizer_source(name, found)))
        model: Any = AutoModelForCausalLM.from_pretrained(
            name,
            **_at(found.commit),
            trust_remote_code=False,
            use_safetensors=True,
            dtype=spec.dtype,
            quantization_config=bitsandbytes_config(spec.quantization, on_gpu),
            device_map="auto" if on_gpu else None,
        )
        if spec.quantization and not on_gpu:
            model = model.dequantize(torch.float32)
        if spec.tokenizer:  # of another model, whose training may have added tokens
            fit_vocabulary(model, max(len(tokenizer), model.get_input_embeddings().weight.shape[0]))
        if found.adapter:
            from peft import PeftModel

            fit_vocabulary(model, trained_vocabulary(model, found.adapter, len(tokenizer)))
            model = PeftModel.from_pretrained(model, found.adapter)
            if odd := unmatched_tensors(model, found.adapter):
                raise ValueError(
                    f"{len(odd)} LoRA tensors are only in the model or only in the adapter, such as {odd[0]}"
                )
    except Exception as error:  # files, hub, formats, and an adapter of another model each raise their own
        raise _load_error(spec, error) from error
    recorded = recorded_format_of(name, found, spec.tokenizer)
    return LoadedModel(model.eval(), tokenizer, found, on_gpu, spec.thought_format, recorded)


def load_tokenizer(name: str, what: str, commit: str | None = None) -> Any:
    """Load a tokenizer alone.

    Args:
        name: Folder or hub id, or ``alttrain-demo-model``.
        what: Names it in the error message.
        commit: The commit of a hub id.

    Raises:
        AltTrainError: It cannot be loaded.
    """
    try:
        return _tokenizer(resolve_model(name), commit)
    except Exception as error:  # a broken file raises what its reader makes of it
        raise AltTrainError(f"{what} cannot be loaded ({with_type(error)}); {_REMEDY}") from error


def tokenizer_source(model: str, found: Located) -> tuple[str, str | None]:
    """Folder or hub id of the tokenizer, and its commit.

    Axolotl saves the tokenizer, with the chat template that was trained, beside the adapter.
    """
    if found.adapter and (Path(found.adapter) / "tokenizer_config.json").is_file():
        return found.adapter, None
    return model, found.commit


def recorded_format_of(model: str, found: Located, tokenizer: str | None = None) -> TrainedFormat:
    """How the training rendered its prompts: of the folder that the tokenizer is from, the adapter or the model."""
    name = tokenizer or found.adapter
    return recorded_format(name) if name else recorded_format(model, found.commit)


def _tokenizer(name: str, commit: str | None = None) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, **_at(commit), trust_remote_code=False)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = tokenizer.eos_token_id
    return tokenizer


def _at(commit: str | None) -> dict[str, str]:
    return {"revision": commit} if commit else {}


def _may_be_on_the_hub(name: str) -> bool:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _load_error(spec: ModelSpec, error: Exception) -> AltTrainError:
    what = f"{spec.flag} {spec.model}" + (f" with --adapter {spec.adapter}" if spec.adapter else "")
    remedy = _REMEDY + (", and that the adapter belongs to this model" if spec.adapter else "")
    return AltTrainError(f"{what} cannot be loaded ({with_type(error)}); {remedy}")
