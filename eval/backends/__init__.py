"""Backends generate completions. All of them produce the same kind of samples."""

from __future__ import annotations

from axolotl_alttrain.eval.backends.base import Backend, BackendSettings, Generated, Identity, Request
from axolotl_alttrain.eval.config import EvalConfig

from axolotl_alttrain.generation.sampling import Sampling

__all__ = ["Backend", "BackendSettings", "Generated", "Identity", "Request", "Sampling", "make_backend"]


def make_backend(config: EvalConfig, model: str, adapter: str | None) -> Backend:
    """The configured backend with its weights; only its own libraries are imported.

    Args:
        config: The evaluation.
        model, adapter: The weights, which a config may leave to the adapter's own config.

    Raises:
        AltTrainError: Its library is not installed, or the model is unavailable.
    """
    weights, backend = config.weights, config.backend
    if backend.backend == "api":
        from axolotl_alttrain.eval.backends.api import APIBackend

        return APIBackend(
            model,
            adapter,
            backend.base_url,
            backend.tokenizer,
            backend.api_concurrency,
            weights.thought_format,
            backend.api_key_env,
        )
    from axolotl_alttrain.generation.quantization import choose_quantization, only_four_bit

    quantization = choose_quantization(weights.load_in_4bit, adapter, weights.adapter_revision)
    if backend.backend == "vllm":
        from axolotl_alttrain.eval.backends.vllm import VLLMBackend

        return VLLMBackend(
            model,
            adapter,
            backend.tensor_parallel,
            weights.dtype,
            weights.thought_format,
            only_four_bit(quantization),
            weights.model_revision,
            weights.adapter_revision,
        )
    from axolotl_alttrain.eval.backends.hf import HFBackend

    return HFBackend(
        model,
        adapter,
        quantization,
        weights.dtype,
        weights.thought_format,
        backend.batch_size,
        backend.batch_tokens,
        weights.model_revision,
        weights.adapter_revision,
    )
