"""Backends generate completions. All of them produce the same kind of samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from axolotl_alttrain.eval.backends.base import (
    Backend,
    BackendSettings,
    Generated,
    Identity,
    LocalModel,
    Request,
)
from axolotl_alttrain.eval.config import EvalConfig
from axolotl_alttrain.eval.weights import Weights

from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.sampling import Sampling

__all__ = ["Backend", "BackendSettings", "Generated", "Identity", "Request", "Sampling", "make_backend"]


def make_backend(config: EvalConfig, weights: Weights) -> Backend:
    """The configured backend with its weights; only its own libraries are imported.

    Args:
        config: The evaluation.
        weights: What to load.

    Raises:
        AltTrainError: Its library is not installed, or the model is unavailable.
    """
    if config.backend.backend == "api":
        return _api(config, weights)
    local = _vllm if config.backend.backend == "vllm" else _hf
    if weights.folder is None:
        return local(config, weights)
    tuned: Callable[[], LocalModel] = partial(local, config, Weights(weights.folder), alone=not weights.has_base)
    if not weights.has_base:
        model = tuned()
        model.runs = ("tuned",)
        return model
    from axolotl_alttrain.eval.backends.two_models import TwoModels

    base = partial(local, config, weights, tokenizer=weights.folder, alone=False)
    return TwoModels({"base": base, "tuned": tuned})


def _api(config: EvalConfig, weights: Weights) -> Backend:
    from axolotl_alttrain.eval.backends.api import APIBackend

    backend, stated = config.backend, config.weights.folder
    return APIBackend(
        weights.model,
        weights.adapter,
        backend.base_url,
        backend.tokenizer,
        backend.api_concurrency,
        config.weights.thought_format,
        backend.api_key_env,
        identity(stated) if stated else config.weights.weights,
    )


def _vllm(config: EvalConfig, weights: Weights, tokenizer: str | None = None, alone: bool = True) -> LocalModel:
    """vLLM, ``alone`` or not: its engine has processes of its own, which end before another model takes its turn."""
    from axolotl_alttrain.eval.backends.vllm import VLLMBackend

    from axolotl_alttrain.generation.quantization import only_nf4

    return VLLMBackend(
        weights.model,
        weights.adapter,
        config.backend.tensor_parallel,
        config.weights.dtype,
        config.weights.thought_format,
        only_nf4(weights.quantization),
        weights.model_revision,
        config.weights.adapter_revision,
        tokenizer,
    )


def _hf(config: EvalConfig, weights: Weights, tokenizer: str | None = None, alone: bool = True) -> LocalModel:
    from axolotl_alttrain.eval.backends.hf import HFBackend

    return HFBackend(
        weights.model,
        weights.adapter,
        weights.quantization,
        config.weights.dtype,
        config.weights.thought_format,
        config.backend.batch_size,
        config.backend.batch_tokens,
        weights.model_revision,
        config.weights.adapter_revision,
        tokenizer,
    )
