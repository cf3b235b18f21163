"""The Hugging Face backend: one load of the base model serves it and its adapter."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from axolotl_alttrain.eval.backends.base import Generated, LocalModel, OnResult, OnToken, Request

from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.batching import BatchSizer, batches
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.merging import mergeable, merged
from axolotl_alttrain.generation.sampling import Sampling, sampler


class HFBackend(LocalModel):
    """A causal language model with an optional LoRA adapter that is switched off and on.

    Args:
        model: Folder or hub id of the base model.
        adapter: Folder or hub id of a PEFT adapter.
        quantization: bitsandbytes' ``quantization_config``, as :func:`choose_quantization` gives it.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        batch_size: Most sequences in a batch; None for what memory allows.
        batch_tokens: Most tokens in a batch, prompts and answers to be added up.
        model_revision, adapter_revision: Commit, tag or branch, of hub ids.

    Raises:
        AltTrainError: The model, its tokenizer or the adapter cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        adapter: str | None = None,
        quantization: Mapping[str, Any] | None = None,
        dtype: str = "auto",
        thought_format: str = "auto",
        batch_size: int | None = None,
        batch_tokens: int = 131072,
        model_revision: str | None = None,
        adapter_revision: str | None = None,
    ) -> None:
        self.loaded = load_model(
            ModelSpec(model, adapter, model_revision, adapter_revision, quantization, dtype, thought_format)
        )
        self.model, self.tokenizer = self.loaded.model, self.loaded.tokenizer
        self.has_adapter = adapter is not None
        self._mergeable = self.has_adapter and mergeable(self.model)
        self.chat: ChatFormat = self.loaded.chat
        self.thought = self.chat.thought
        self.stop_ids = self.loaded.stop_ids
        self.token_unit = "tokens"
        self.runs: tuple[str, ...] = ("base", "tuned") if adapter else ("base",)
        self.sizer = BatchSizer(batch_size, start=256 if self.loaded.on_gpu else 48, tokens=batch_tokens)
        # Samples that were made merged, in another precision than float32, are others.
        apart = "" if self._mergeable or not adapter else ", not merged"
        base, tuned = self.loaded.located.identities
        self._identity = (base, tuned + apart, template_identity(self.chat))
        quantized = quantization or {}
        self._told = False
        self._settings = {
            "backend": "hf",
            "load_in_4bit": bool(quantized.get("load_in_4bit")),
            "load_in_8bit": bool(quantized.get("load_in_8bit")),
            "dtype": dtype,
        }

    @contextlib.contextmanager
    def adapter(self, on: bool) -> Iterator[None]:
        """Generate with or without the adapter."""
        if not self.has_adapter or (on and not self._mergeable):
            yield
        elif on:
            with merged(self.model):  # two matrix products fewer per layer and token
                yield
        else:
            with self.model.disable_adapter():
                yield

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests in batches of alike lengths; a batch that does not fit in memory is halved.

        What may pass the model's context is told once, on standard error: past it, answers are worth little.

        Raises:
            AltTrainError: Not even one sequence fits.
        """
        lengths = self.count_tokens([request.text for request in requests])
        self._tell_context(lengths, sampling.max_new_tokens)
        with self.adapter(run == "tuned"):
            for batch in batches(lengths, [r.group for r in requests], sampling.max_new_tokens, self.sizer):
                some = [requests[i] for i in batch]
                pick = sampler(sampling, [request.seed for request in some])
                try:
                    outputs = self.generate([r.text for r in some], sampling.max_new_tokens, on_token, pick)
                except torch.OutOfMemoryError:
                    outputs = None
                if outputs is None:  # outside the handler, whose traceback would hold the batch's memory
                    if torch.cuda.is_available():
                        torch.cuda.empty_cache()
                    self.sizer.shrink(len(batch))
                    continue
                self.sizer.done(batch)
                for index, output in zip(batch, outputs, strict=True):
                    on_result(index, output)

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_token: OnToken | None = None, pick: Any = None
    ) -> list[Generated]:
        """Completions of one batch of rendered prompts, greedy unless ``pick`` says otherwise.

        Args:
            prompts: Texts from :meth:`ChatFormat.prompt`.
            max_new_tokens: Most tokens per completion.
            on_token: Called after each step with the number of sequences in the batch.
            pick: See :func:`axolotl_alttrain.generation.decoding.decode`.

        Returns:
            One completion per prompt, in order.
        """
        found = self.loaded.complete(prompts, max_new_tokens, on_token, pick)
        return [Generated(one.text, "stop" if one.stopped else "length", one.tokens) for one in found]

    def _tell_context(self, lengths: Sequence[int], new_tokens: int) -> None:
        context = self.loaded.longest
        beyond = [length for length in lengths if context and length + new_tokens > context]
        if beyond and not self._told:
            self._told = True
            print(
                f"eval.run: {len(beyond)} of {len(lengths)} prompts, the longest of {max(beyond)} tokens, may with "
                f"--max-new-tokens {new_tokens} pass the model's context of {context} (max_position_embeddings)",
                file=sys.stderr,
            )
