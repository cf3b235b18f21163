"""The trained model without its base weights: modules, names and tied weights on the meta device, with the adapter."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, with_type
from axolotl_alttrain.export.base_weights import BaseWeights
from axolotl_alttrain.generation.trained.model_config import fit_vocabulary

ADAPTER = "default"
# Initialisations that change the base's weights in memory: the base on the disk is not what was trained.
_CHANGED_BASES = ("pissa", "olora", "corda", "loftq", "lora_ga", "mica")


@dataclass(frozen=True)
class Skeleton:
    """The trained model, whose base weights are on the meta device and whose adapter is loaded in float32.

    Attributes:
        plain: The base model with the trained vocabulary, all on the meta device.
        adapted: The same model in a ``PeftModel``. Tensors that the adapter's file holds for the base itself, such as
            biases and resized embeddings, are loaded too.
        tied: Names of parameters that share the tensor of another, by the name of that other one.
    """

    plain: Any
    adapted: Any
    tied: Mapping[str, str]

    @property
    def vocab_size(self) -> int:
        """Rows of the embeddings."""
        return int(self.plain.get_input_embeddings().weight.shape[0])


def empty_model(config: Any) -> Any:
    """The causal language model of a config, on the meta device.

    Raises:
        AltTrainError: transformers has no such causal language model.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=torch.float32, trust_remote_code=False)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise AltTrainError(f"transformers has no causal language model for the base model ({reason[:200]})") from None


def skeleton(plain: Any, rows: int, adapter: Path) -> Skeleton:
    """Put an adapter around the empty base model.

    Args:
        plain: See :func:`empty_model`; resized in place.
        rows: Rows of the embeddings during training.
        adapter: The adapter's folder.

    Raises:
        AltTrainError: The adapter is of a kind that cannot be added to the base, or belongs to another model.
    """
    from peft import PeftConfig, PeftModel

    config = PeftConfig.from_pretrained(str(adapter))
    _check_kind(config, adapter)
    fit_vocabulary(plain, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about tied weights, which are untied where need be
        try:
            adapted = PeftModel(copy.deepcopy(plain), config, ADAPTER, low_cpu_mem_usage=True)
        except ValueError as error:
            raise AltTrainError(f"{adapter} does not belong to this base model ({with_type(error, 200)})") from None
        _load(adapted, adapter)
    return Skeleton(plain, adapted.eval(), dict(plain.all_tied_weights_keys))


def check_layout(plain: Any, base: BaseWeights) -> None:
    """Check that transformers loads the base's tensors as they are, under their own names.

    Args:
        plain: The base model on the meta device.
        base: The tensors on the disk.

    Raises:
        AltTrainError: transformers converts tensors while loading, as it does for many mixtures of experts, or the
            tensors are of another model.
    """
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightConverter

    remedy = "export cannot repeat what transformers makes of it while loading, so serve base and adapter instead"
    for conversion in get_model_conversion_mapping(plain):
        if isinstance(conversion, WeightConverter):
            for pattern in conversion.source_patterns:
                if found := sorted(name for name in base.names if re.search(pattern, name)):
                    raise AltTrainError(
                        f"{base.folder}: {found[0]} is stored in another layout than transformers uses; {remedy}"
                    )
    tied = plain.all_tied_weights_keys
    needed = {name: tuple(tensor.shape) for name, tensor in plain.state_dict().items() if name not in tied}
    if missing := sorted(set(needed) - base.names):
        raise AltTrainError(f"{base.folder}: {missing[0]} is not among the stored weights; {remedy}")
    vocabulary = [id(plain.get_input_embeddings()), id(plain.get_output_embeddings())]
    for name, shape in needed.items():
        start = 1 if id(plain.get_submodule(name.rpartition(".")[0])) in vocabulary else 0
        if shape[start:] != base.shape(name)[start:]:
            raise AltTrainError(
                f"{base.folder}: {name} has the shape {base.shape(name)}, and {shape} was trained; name the base of "
                "the adapter with --model"
            )


def _check_kind(config: Any, adapter: Path) -> None:
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind != "LORA":
        raise AltTrainError(f"{adapter} is an adapter of type {kind}; export takes LoRA and DoRA")
    start = config.init_lora_weights
    if isinstance(start, str) and start.startswith(_CHANGED_BASES):
        raise AltTrainError(
            f"{adapter} was initialised with {start}, which changed the base's weights in memory; convert it to plain "
            "LoRA with peft's 'path_initial_model_for_weight_conversion' first"
        )
    for option in ("megatron_config", "layer_replication", "use_qalora", "use_bdlora", "alora_invocation_tokens"):
        if getattr(config, option, None):
            raise AltTrainError(f"{adapter} uses {option}, which cannot be added to the base's weights")


def _load(adapted: Any, adapter: Path) -> None:
    """Load the adapter's tensors in float32; everything else stays on the meta device."""
    import torch
    from peft import load_peft_weights, set_peft_model_state_dict

    named: dict[str, Any] = {}

    def keep(state: Mapping[str, Any], **_: Any) -> Any:
        named.update(state)
        return torch.nn.modules.module._IncompatibleKeys([], [])

    try:
        stored = load_peft_weights(str(adapter), device="cpu")
        # peft finds each tensor's place in the model. It would then move the adapter to the base's device, which is
        # the meta device, so the loading itself is done here.
        adapted.load_state_dict = keep
        set_peft_model_state_dict(adapted, stored, adapter_name=ADAPTER, low_cpu_mem_usage=True)
        del adapted.load_state_dict
        floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in named.items()}
        result = adapted.load_state_dict(floats, strict=False, assign=True)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise AltTrainError(f"{adapter} does not belong to this base model ({with_type(error, 200)})") from None
    missing = [name for name, tensor in adapted.named_parameters() if tensor.is_meta and f".{ADAPTER}" in name]
    if wrong := [*missing, *(name for name in result.unexpected_keys if not _is_second_copy(adapted, name))]:
        raise AltTrainError(f"{adapter} does not belong to this base model: {wrong[0]} has no counterpart")


def _is_second_copy(adapted: Any, name: str) -> bool:
    """Whether a tensor repeats another: peft saves wrapped embeddings under several names once they are resized."""
    from peft.utils.other import AuxiliaryTrainingWrapper

    module = re.split(r"\.(?:modules_to_save|token_adapter)\.", name)[0]
    return any(place == module and isinstance(one, AuxiliaryTrainingWrapper) for place, one in adapted.named_modules())
