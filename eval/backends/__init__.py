"""Backends: what answers prompts. Each writes the same samples."""

from __future__ import annotations

import argparse

from axolotl_alttrain.eval.backends.base import Backend, Generated, Request

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.sampling import Sampling

BACKENDS = ("hf", "vllm", "api")
__all__ = ["BACKENDS", "Backend", "Generated", "Request", "Sampling", "make_backend"]


def make_backend(args: argparse.Namespace, model: str, adapter: str | None) -> Backend:
    """The backend that the command line asks for; only its own libraries are imported.

    Raises:
        AltTrainError: Its library is not installed, or the model cannot be had.
    """
    if args.backend == "api":
        from axolotl_alttrain.eval.backends.api import APIBackend

        return APIBackend(
            model, adapter, args.base_url, args.tokenizer, args.api_concurrency, args.thought_format, args.api_key_env
        )
    from axolotl_alttrain.generation.quantization import choose_quantization, only_four_bit

    revisions = {"model_revision": args.model_revision, "adapter_revision": args.adapter_revision}
    quantization = choose_quantization(args.load_in_4bit, adapter, args.adapter_revision)
    if args.backend == "vllm":
        from axolotl_alttrain.eval.backends.vllm import VLLMBackend

        return VLLMBackend(
            model,
            adapter,
            args.tensor_parallel,
            args.data_parallel,
            args.dtype,
            args.thought_format,
            only_four_bit(quantization),
            **revisions,
        )
    if args.backend != "hf":
        raise AltTrainError(f"--backend: found {args.backend}; allowed: {', '.join(BACKENDS)}")
    from axolotl_alttrain.eval.backends.hf import HFBackend

    return HFBackend(
        model,
        adapter,
        quantization,
        args.dtype,
        args.thought_format,
        args.batch_size,
        args.batch_tokens,
        **revisions,
    )
