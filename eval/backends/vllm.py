"""The vLLM backend, through lm-eval's class for it: LoRA requests, tensor and data parallel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
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
from axolotl_alttrain.generation.identity import Located, locate, template_identity
from axolotl_alttrain.generation.sampling import Sampling

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
    ) -> None:
        if find_spec("vllm") is None:
            raise AltTrainError("--backend vllm needs the package vllm; run 'pip install vllm'")
        from lm_eval.models.vllm_causallms import VLLM
        from transformers import AutoTokenizer

        try:
            found = locate(model, adapter, model_revision, adapter_revision)
        except (OSError, ValueError) as error:
            what = f"--model {model}" + (f" with --adapter {adapter}" if adapter else "")
            raise AltTrainError(f"{what} is unavailable ({str(error).splitlines()[0][:300]})") from None
        options = engine_options(model, found, load_in_4bit)
        self.tokenizer = AutoTokenizer.from_pretrained(options["tokenizer"], revision=options["tokenizer_revision"])
        self._lm: Any = VLLM(
            **options, dtype=dtype, tensor_parallel_size=tensor_parallel, data_parallel_size=data_parallel
        )
        self._lora = self._lm.lora_request
        self.chat = learn_format(self.tokenizer, thought_format=thought_format)
        self.thought = self.chat.thought
        self.token_unit = "tokens"
        self.runs: tuple[str, ...] = ("base", "tuned") if adapter else ("base",)
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

        self._lm.lora_request = self._lora if run == "tuned" else None
        stops = self.chat.encode([self.thought.end])[0][-1:]
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
            outputs = self._lm._model_generate(requests=ids, generate=True, sampling_params=params)
            for number, output in enumerate(outputs):
                one = output.outputs[0]
                text = one.text
                for token in stops:
                    text = text.removesuffix(self.tokenizer.decode([token]))
                finish = "length" if one.finish_reason == "length" else "stop"
                on_result(start + number, Generated(text, finish, len(one.token_ids)))


def engine_options(model: str, found: Located, load_in_4bit: bool) -> dict[str, Any]:
    """Arguments of lm-eval's vLLM class for weights, tokenizer and adapter, each at its commit."""
    with_template = found.adapter and (Path(found.adapter) / "tokenizer_config.json").is_file()
    options: dict[str, Any] = {
        "pretrained": model,
        "revision": found.commit,
        "tokenizer": found.adapter if with_template else model,
        "tokenizer_revision": None if with_template else found.commit,
    }
    if load_in_4bit:
        options["quantization"] = "bitsandbytes"
    if found.adapter:
        options |= {"lora_local_path": found.adapter, "max_lora_rank": _rank(found.adapter)}
    return options


def _rank(adapter: str) -> int:
    """The LoRA rank that vLLM must allocate memory for."""
    config = Path(adapter) / "adapter_config.json"
    return int(json.loads(config.read_text(encoding="utf-8"))["r"]) if config.is_file() else 64
