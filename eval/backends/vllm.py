"""The vLLM backend: one engine in this process, its adapter switched by LoRA requests, with prefix caching."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from axolotl_alttrain.eval.backends.base import (
    BackendSettings,
    Generated,
    Identity,
    LocalModel,
    OnResult,
    OnToken,
    Request,
    RequestsRefused,
)
from axolotl_alttrain.eval.backends.vllm_engine import engine_options, import_vllm

from axolotl_alttrain.errors import AltTrainError, with_type
from axolotl_alttrain.generation.decoding import completion_text
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import (
    ModelSpec,
    find_model,
    load_tokenizer,
    recorded_format_of,
    tokenizer_source,
)
from axolotl_alttrain.generation.next_word import LIKELIEST, NextWord, WordShares, listed_shares
from axolotl_alttrain.generation.sampling import Sampling
from axolotl_alttrain.generation.stopping import stop_ids

CHUNK = 512  # requests between two writes to the samples file


@dataclass(frozen=True)
class VLLMSettings(BackendSettings):
    """How the weights are loaded; ``dtype`` is the engine's, also where ``auto`` was asked for."""

    load_in_4bit: bool
    load_in_8bit: bool
    dtype: str


class VLLMBackend(LocalModel):
    """A model in a vLLM engine; the tuned run is the same engine with LoRA requests.

    Args:
        model, adapter: Folder or Hub ID.
        tensor_parallel: GPUs that share the model.
        dtype: As vLLM takes it.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        load_in_4bit: Load the base through bitsandbytes, in NF4.
        model_revision, adapter_revision: Commit, tag or branch of Hub IDs.
        tokenizer: Folder with the tokenizer and template to use instead of the model's own.

    Raises:
        AltTrainError: vLLM is missing or broken, or the model or adapter is unavailable or unfit for vLLM.
    """

    def __init__(
        self,
        model: str,
        adapter: str | None,
        tensor_parallel: int = 1,
        dtype: str = "auto",
        thought_format: str = "auto",
        load_in_4bit: bool = False,
        model_revision: str | None = None,
        adapter_revision: str | None = None,
        tokenizer: str | None = None,
    ) -> None:
        vllm = import_vllm(load_in_4bit)
        found = find_model(ModelSpec(model, adapter, model_revision, adapter_revision))
        name, commit = (tokenizer, None) if tokenizer else tokenizer_source(model, found)
        self.tokenizer = load_tokenizer(name, f"--model {model}", commit)
        self.chat = recorded_format_of(model, found, tokenizer).learn(self.tokenizer, thought_format)
        self.thought = self.chat.thought
        self.token_unit = "tokens"
        self.runs = ("base", "tuned") if adapter else ("base",)
        self.stop_ids = stop_ids(self.tokenizer, self.thought.end, _eos_of(model, found.commit))
        options = engine_options(model, found, load_in_4bit) | {"dtype": dtype, "tensor_parallel_size": tensor_parallel}
        try:
            self._engine: Any = vllm.LLM(**options)
        except Exception as error:  # the engine's own process raises its own kinds
            raise AltTrainError(f"--backend vllm: vLLM cannot load {model} ({with_type(error)})") from error
        self._lora = vllm.lora.request.LoRARequest("tuned", 1, found.adapter) if found.adapter else None
        self._sampling_params, self._prompt = vllm.SamplingParams, vllm.TokensPrompt
        self._identity = Identity(*found.identities, template_identity(self.chat))
        self._settings = VLLMSettings("vllm", load_in_4bit, False, _name_of(self._engine.model_config.dtype))

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests in chunks; vLLM batches within each, and what a chunk has answered is kept.

        Raises:
            RequestsRefused: Prompts that fill the engine's context; all others are answered.
            AltTrainError: vLLM cannot load the adapter, or its engine failed.
        """
        texts = self.chat.encode([request.text for request in requests])
        ids = [[*row, *request.generated] for row, request in zip(texts, requests, strict=True)]
        context = self._engine.model_config.max_model_len
        refused = {
            index: f"the prompt has {len(row)} tokens, and the engine's context (max_model_len) holds {context}"
            for index, row in enumerate(ids)
            if len(row) >= context
        }
        asked = [index for index in range(len(requests)) if index not in refused]
        for start in range(0, len(asked), CHUNK):
            some = asked[start : start + CHUNK]
            outputs = self._generate(run, [ids[i] for i in some], [self._params(requests[i], sampling) for i in some])
            for index, output in zip(some, outputs, strict=True):
                on_result(index, self._generated(output.outputs[0]))
        if refused:
            first = refused[min(refused)]
            raise RequestsRefused(f"--backend vllm: {len(refused)} prompts are too long; the first: {first}", refused)

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`: words beyond the likeliest that vLLM lists are bounded by these."""
        prompts = self.chat.encode([place.text for place in places])
        ids = [[*prompt, *place.before] for prompt, place in zip(prompts, places, strict=True)]
        one = self._sampling_params(temperature=0, max_tokens=1, logprobs=LIKELIEST, detokenize=False)
        for index, output in enumerate(self._generate(run, ids, [one] * len(ids))):
            listed = {token: found.logprob for token, found in output.outputs[0].logprobs[0].items()}
            yield index, listed_shares(listed, places[index].words)

    def close(self) -> None:
        """End the engine's processes, which frees their GPUs."""
        self._engine = None
        gc.collect()  # vLLM's client ends them when it is collected

    def _params(self, request: Request, sampling: Sampling) -> Any:
        return self._sampling_params(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_new_tokens,
            seed=(sampling.seed * 1_000_003 + request.seed) % 2**63 if sampling.temperature else None,
            stop_token_ids=self.stop_ids,
            detokenize=False,  # the text is made as `hf` makes it
        )

    def _generate(self, run: str, ids: Sequence[list[int]], params: Sequence[Any]) -> Sequence[Any]:
        """vLLM's output for each prompt of token ids, in order."""
        prompts = [self._prompt(prompt_token_ids=row) for row in ids]
        lora = self._lora if run == "tuned" else None
        try:
            found: Sequence[Any] = self._engine.generate(prompts, params, lora_request=lora, use_tqdm=False)
        except Exception as error:  # the engine's own process raises its own kinds
            what = f"with the adapter {lora.lora_path} " if lora else ""
            raise AltTrainError(f"--backend vllm: vLLM {what}failed ({with_type(error)})") from error
        return found

    def _generated(self, output: Any) -> Generated:
        found = completion_text(self.tokenizer, output.token_ids, self.stop_ids)
        finish = "length" if output.finish_reason == "length" else "stop"
        return Generated(found.text, finish, len(output.token_ids), found.ids)


def _eos_of(model: str, commit: str | None) -> Any:
    """The configs that name further stop tokens, in the form that :func:`stop_ids` reads."""
    from transformers import AutoConfig, GenerationConfig

    at = {"revision": commit} if commit else {}
    try:
        generation = GenerationConfig.from_pretrained(model, **at)
    except OSError:  # not every model has one
        generation = None
    return SimpleNamespace(
        config=AutoConfig.from_pretrained(model, **at, trust_remote_code=False), generation_config=generation
    )


def _name_of(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
