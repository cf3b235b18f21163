"""The vLLM backend: LoRA requests, tensor and data parallel."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.backends.base import (
    BackendSettings,
    Generated,
    Identity,
    LocalModel,
    OnResult,
    OnToken,
    Request,
)

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.generation.identity import Located, template_identity
from axolotl_alttrain.generation.loading import ModelSpec, find_model, load_tokenizer, tokenizer_source
from axolotl_alttrain.generation.sampling import Sampling
from axolotl_alttrain.generation.stopping import stop_ids

CHUNK = 512  # requests between two writes to the samples file; vLLM schedules its batches within them


@dataclass(frozen=True)
class VLLMSettings(BackendSettings):
    """How the weights are loaded."""

    dtype: str
    load_in_4bit: bool


class VLLMBackend(LocalModel):
    """A model served by vLLM in this process, its adapter switched by LoRA requests.

    Args:
        model, adapter: Folder or Hub ID.
        tensor_parallel: GPUs per replica.
        data_parallel: Replicas.
        dtype: As vLLM takes it.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        load_in_4bit: Load the base through bitsandbytes, in NF4.
        model_revision, adapter_revision: Commit, tag or branch of Hub IDs.
        tokenizer: Folder with the tokenizer and template to use instead of the model's own.
        own_process: Run a single replica in a process of its own too, so that :meth:`close` frees its memory.

    Raises:
        AltTrainError: vLLM is not installed, or model or adapter is unavailable.
    """

    def __init__(
        self,
        model: str,
        adapter: str | None,
        tensor_parallel: int = 1,
        data_parallel: int = 1,
        dtype: str = "auto",
        thought_format: str = "auto",
        load_in_4bit: bool = False,
        model_revision: str | None = None,
        adapter_revision: str | None = None,
        tokenizer: str | None = None,
        own_process: bool = False,
    ) -> None:
        if find_spec("vllm") is None:
            raise AltTrainError("--backend vllm needs the package vllm; run 'pip install vllm'")
        found = find_model(ModelSpec(model, adapter, model_revision, adapter_revision))
        name, commit = (tokenizer, None) if tokenizer else tokenizer_source(model, found)
        self.tokenizer = load_tokenizer(name, f"--model {model}", commit)
        options = engine_options(model, found, load_in_4bit) | {"dtype": dtype, "tensor_parallel_size": tensor_parallel}
        self._copies = Copies(options, found.adapter, data_parallel, own_process)
        self.chat = learn_format(self.tokenizer, thought_format=thought_format)
        self.thought = self.chat.thought
        self.token_unit = "tokens"
        self.runs = ("base", "tuned") if adapter else ("base",)
        self._identity = Identity(*found.identities, template_identity(self.chat))
        self._settings = VLLMSettings(backend="vllm", dtype=dtype, load_in_4bit=load_in_4bit)

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests in chunks; vLLM batches within each."""
        from vllm import SamplingParams

        stops = stop_ids(self.tokenizer, self.thought.end)  # vLLM adds those of the model's configs
        for start in range(0, len(requests), CHUNK):
            some = requests[start : start + CHUNK]
            params = [
                SamplingParams(
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    max_tokens=sampling.max_new_tokens,
                    seed=(sampling.seed * 1_000_003 + request.seed) % 2**63 if sampling.temperature else None,
                    stop_token_ids=stops,
                    skip_special_tokens=False,  # some templates write thoughts with them
                )
                for request in some
            ]
            ids = self.chat.encode([request.text for request in some])
            outputs = self._copies.generate(ids, params, run == "tuned")
            for number, output in enumerate(outputs):
                one = output.outputs[0]
                text = one.text
                for token in stops:
                    text = text.removesuffix(self.tokenizer.decode([token]))
                finish = "length" if one.finish_reason == "length" else "stop"
                on_result(start + number, Generated(text, finish, len(one.token_ids)))

    def close(self) -> None:
        """Free the GPUs of engines in processes of their own."""
        self._copies.close()


class Copies:
    """One vLLM engine in this process, or several in processes of their own, each with its own GPUs.

    Args:
        options: Of ``vllm.LLM``.
        adapter: Folder of the LoRA; None without one.
        number: How many.
        own_process: Put a single one in a process of its own too.
    """

    def __init__(self, options: dict[str, Any], adapter: str | None, number: int, own_process: bool = False) -> None:
        self._adapter, self._pools = adapter, []
        if number == 1 and not own_process:
            _start(options)
            return
        size = options["tensor_parallel_size"]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(number * size)))
        for copy in range(number):
            gpus = ",".join(visible.split(",")[copy * size : (copy + 1) * size])
            context = get_context("spawn")
            self._pools.append(ProcessPoolExecutor(1, context, initializer=_start, initargs=(options, gpus)))

    def close(self) -> None:
        """End the processes, which frees their GPUs."""
        for pool in self._pools:
            pool.shutdown()

    def generate(self, ids: list[list[int]], params: list[Any], tuned: bool) -> list[Any]:
        """vLLM's output for each prompt of token ids, in order."""
        adapter = self._adapter if tuned else None
        if not self._pools:
            return _generate(ids, params, adapter)
        number = len(self._pools)
        # Every number-th request: neighbours have similar lengths.
        parts = [
            pool.submit(_generate, ids[copy::number], params[copy::number], adapter)
            for copy, pool in enumerate(self._pools)
            if ids[copy::number]
        ]
        outputs: list[Any] = [None] * len(ids)
        for copy, part in enumerate(parts):
            outputs[copy::number] = part.result()
        return outputs


_engine: Any = None  # one per process


def _start(options: dict[str, Any], gpus: str | None = None) -> None:
    global _engine
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus
    from vllm import LLM

    _engine = LLM(**options)


def _generate(ids: list[list[int]], params: list[Any], adapter: str | None) -> list[Any]:
    from vllm import TokensPrompt
    from vllm.lora.request import LoRARequest

    lora = LoRARequest("finetuned", 1, adapter) if adapter else None
    prompts = [TokensPrompt(prompt_token_ids=one) for one in ids]
    found: list[Any] = _engine.generate(prompts, sampling_params=params, lora_request=lora)
    return found


def engine_options(model: str, found: Located, load_in_4bit: bool) -> dict[str, Any]:
    """The arguments of ``vllm.LLM`` that select weights, tokenizer and adapter, each at its commit."""
    tokenizer, commit = tokenizer_source(model, found)
    options: dict[str, Any] = {
        "model": model,
        "revision": found.commit,
        "tokenizer": tokenizer,
        "tokenizer_revision": commit,
    }
    if load_in_4bit:
        options["quantization"] = "bitsandbytes"
    if found.adapter:
        options |= {"enable_lora": True, "max_lora_rank": _rank(found.adapter)}
    return options


def _rank(adapter: str) -> int:
    """The LoRA rank that vLLM must allocate memory for."""
    config = Path(adapter) / "adapter_config.json"
    return int(json.loads(config.read_text(encoding="utf-8"))["r"]) if config.is_file() else 64
