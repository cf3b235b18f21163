"""A model's architecture without its weights, from a config shipped for the recipes' backbones or the model's own."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, first_line


def shipped_config(model: str) -> Path | None:
    """The folder with the shipped ``config.json`` of a recipe's backbone; None for other models.

    Args:
        model: A hub id, such as ``Qwen/Qwen3-8B``.
    """
    if Path(model).exists():
        return None
    folder = Path(str(files("axolotl_alttrain.fit").joinpath("architectures", model.replace("/", "--"))))
    return folder if (folder / "config.json").is_file() else None


@dataclass(frozen=True)
class Sizes:
    """Parameter counts of a model with its adapter, from the meta device.

    Attributes:
        linear: Sizes of the linear weights that ``load_in_4bit`` quantizes: all but the output head.
        other: Parameters of embeddings, output head, norms and biases.
        trained: Sizes of the trained tensors: the adapter's, or all without an adapter.
        layers: Number of decoder layers.
        hidden: Width of the residual stream.
        widest: Largest output width of a linear layer in a decoder layer.
        vocabulary: Rows of the output head.
        attention: Query width of one layer: heads times head dimension.
        frozen_below: Decoder layers below the lowest one with an adapter; no gradient reaches them.
    """

    linear: tuple[int, ...]
    other: int
    trained: tuple[int, ...]
    layers: int
    hidden: int
    widest: int
    vocabulary: int
    attention: int
    frozen_below: int = 0

    @property
    def parameters(self) -> int:
        """Parameters of the base model."""
        return sum(self.linear) + self.other

    @property
    def reached(self) -> int:
        """Decoder layers that a gradient passes through."""
        return self.layers - self.frozen_below

    @property
    def tied(self) -> bool:
        """Whether the output head is the embedding."""
        return self.other < 2 * self.vocabulary * self.hidden


def read_architecture(cfg: Any) -> Any:
    """The transformers config of a recipe's model.

    Raises:
        AltTrainError: It cannot be read, locally or from the Hub.
    """
    from transformers import AutoConfig

    model = cfg.base_model_config or cfg.base_model
    try:
        config = AutoConfig.from_pretrained(model, trust_remote_code=bool(cfg.trust_remote_code))
    except (OSError, ValueError) as error:
        raise AltTrainError(
            f"base_model {model!r}: its config cannot be read ({first_line(error)}); download the model or give "
            "its folder"
        ) from None
    return config.get_text_config()


def meta_model(config: Any, cfg: Any, layers: int | None = None) -> Any:
    """The model in bfloat16 with the recipe's adapter, on the meta device.

    Args:
        config: From :func:`read_architecture`.
        cfg: The recipe as Axolotl completes it; its LoRA keys are read by Axolotl's own code.
        layers: Build only this many decoder layers, all of them with the adapter.

    Raises:
        AltTrainError: The architecture cannot be built.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(config)
    if layers is not None:
        config.num_hidden_layers = layers
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:layers]
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(
                config, dtype=torch.bfloat16, trust_remote_code=bool(cfg.trust_remote_code)
            )
            if cfg.adapter in ("lora", "qlora"):
                model = _with_adapter(model, cfg, every_layer=layers is not None)
    except (ValueError, TypeError) as error:
        raise AltTrainError(
            f"base_model {cfg.base_model!r}: the model cannot be built ({first_line(error)}); fit cannot estimate it"
        ) from None
    return model


def measure(config: Any, cfg: Any) -> Sizes:
    """Count the parameters of a recipe's model."""
    from torch import nn

    model = meta_model(config, cfg)
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    adapter = {id(p) for name, p in model.named_parameters() if "lora_" in name}
    linear = [m for m in base.modules() if isinstance(m, nn.Linear) and id(m.weight) not in adapter and m is not head]
    every = sum(p.numel() for p in model.parameters() if id(p) not in adapter)
    packed = tuple(m.weight.numel() for m in linear)
    layers = decoder_layers(base)
    return Sizes(
        linear=packed,
        other=every - sum(packed),
        trained=tuple(p.numel() for p in model.parameters() if p.requires_grad),
        layers=len(layers),
        hidden=config.hidden_size,
        widest=max(m.out_features for m in linear),
        vocabulary=head.weight.shape[0],
        attention=config.num_attention_heads * (getattr(config, "head_dim", 0) or 0) or config.hidden_size,
        frozen_below=_frozen_below(layers),
    )


def decoder_layers(base: Any) -> Any:
    """The list of decoder layers of a model.

    Raises:
        AltTrainError: The model does not have the structure of transformers' decoders.
    """
    layers = getattr(getattr(base, "model", None), "layers", None)
    if layers is None:
        raise AltTrainError(f"{type(base).__name__} has no decoder layers at model.layers; fit cannot estimate it")
    return layers


def _frozen_below(layers: Any) -> int:
    """The number of the lowest layer that is trained."""
    trained = (number for number, layer in enumerate(layers) if any(p.requires_grad for p in layer.parameters()))
    return next(trained, 0)


def _with_adapter(model: Any, cfg: Any, every_layer: bool) -> Any:
    from axolotl.loaders.adapter import load_lora
    from peft import get_peft_model

    _, lora = load_lora(model, cfg, config_only=True)
    if every_layer:
        lora.layers_to_transform = None
    return get_peft_model(model, lora)
