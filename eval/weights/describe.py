"""The words for each form of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from axolotl_alttrain.eval.weights.exported import form_of_folder
from axolotl_alttrain.eval.weights.form import Kind, WeightsForm
from pydantic import JsonValue

from axolotl_alttrain.generation.quantization import TrainedBase, quantization_name

_VLLM = "vLLM"


def base_form(quantization: Mapping[str, JsonValue] | None, published: str | None, engine: str) -> WeightsForm:
    """A model without an adapter.

    Args:
        quantization: bitsandbytes' ``quantization_config`` while loading; None without.
        published: How the model's own files are quantised; None if they are not.
        engine: What loads it.
    """
    name = quantization_name(quantization) if quantization else published or "unquantised"
    if quantization:
        words = f"base that vLLM quantises to {name}" if engine == _VLLM else f"base in {name}"
    else:
        words = f"base as published ({published})" if published else "unquantised base"
    return WeightsForm("base", words, {"engine": engine, "base_quantization": name})


def adapter_form(
    trained: TrainedBase,
    quantization: Mapping[str, JsonValue] | None,
    published: str | None,
    engine: str,
    stated: bool | None = None,
) -> WeightsForm:
    """An adapter on its base.

    Args:
        trained: How the base was loaded in training.
        quantization: How it is loaded here; None for the model's own files.
        published: How the model's own files are quantised; None if they are not.
        engine: What loads it; vLLM quantises in its own way.
        stated: Whether the user says that the base was in 4 bits in training; None if the user does not say.
    """
    here = quantization_name(quantization)
    was = quantization_name(trained.quantization) if trained.recorded else "not recorded"
    if not trained.recorded and stated is not None:
        was = here
    as_trained = was == here
    kind: Kind = "as-trained" if as_trained else "unknown" if published else "full-precision"
    if quantization and engine == _VLLM:
        on = f"the base that vLLM quantises to {here}"
    else:
        plain = here if quantization else f"published ({published})" if published else "unquantised"
        on = f"the {plain} base it was trained on" if as_trained else f"the {plain} base"
    words = f"LoRA request in vLLM on {on}" if engine == _VLLM else f"adapter on {on}"
    if was == "not recorded":
        words += ", how it was loaded in training is not recorded"
    elif not as_trained:
        words += f", not the {was} base it was trained on"
    loaded = here if quantization else published or here
    details: dict[str, JsonValue] = {"engine": engine, "trained_on": was, "base_quantization": loaded}
    form = WeightsForm(kind, words, details)
    if trained.recorded or stated is None:
        return form
    return form.stated("--load-in-4bit" if stated else "--no-load-in-4bit")


def served_form(stated: str | None) -> WeightsForm:
    """The weights behind a server, which does not report them.

    Args:
        stated: ``--weights``: what the user says of them.
    """
    if stated is None:
        words = "unknown: the server does not report its weights, and --weights does not state them"
        return WeightsForm("unknown", words, {"engine": "server"})
    if stated == "as-trained":
        form = WeightsForm("as-trained", "adapter on its base as loaded in training", {"engine": "server"})
    elif stated == "full-precision":
        form = WeightsForm("full-precision", "adapter on the unquantised base", {"engine": "server"})
    elif Path(stated).is_dir():
        form = form_of_folder(stated, "server")
    else:  # a folder on the server's machine
        form = WeightsForm("merged", f"merged folder {Path(stated).name}, origin unknown", {"engine": "server"})
    return form.stated("--weights")
