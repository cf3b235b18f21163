"""The Hugging Face backend: the base model is loaded once and serves both base and adapter."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.eval.backends.base import (
    NOT_MERGED,
    BackendSettings,
    Generated,
    Identity,
    LocalModel,
    OnResult,
    OnToken,
    Request,
)

from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.batching import BatchSizer, in_batches
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.merging import mergeable, merged
from axolotl_alttrain.generation.next_word import NextWord, WordShares
from axolotl_alttrain.generation.quantization import quantization_key
from axolotl_alttrain.generation.sampling import Sampling, sampler


@dataclass(frozen=True)
class HFSettings(BackendSettings):
    """How the weights are loaded."""

    load_in_4bit: bool
    load_in_8bit: bool
    dtype: str


class HFBackend(LocalModel):
    """A causal language model with an optional LoRA adapter that is enabled per run.

    Args:
        model: Folder or Hub ID of the base model.
        adapter: Folder or Hub ID of a PEFT adapter.
        quantization: bitsandbytes' ``quantization_config`` of the base; None without quantisation.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        batch_size: Maximum sequences per batch; None for as many as memory allows.
        batch_tokens: Maximum tokens per batch, prompts and completions together.
        model_revision, adapter_revision: Commit, tag or branch of Hub IDs.
        tokenizer: Folder with the tokenizer and template to use instead of the model's own.

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
        tokenizer: str | None = None,
    ) -> None:
        self.loaded = load_model(
            ModelSpec(
                model=model,
                adapter=adapter,
                model_revision=model_revision,
                adapter_revision=adapter_revision,
                quantization=quantization,
                dtype=dtype,
                thought_format=thought_format,
                tokenizer=tokenizer,
            )
        )
        self.model, self.tokenizer = self.loaded.model, self.loaded.tokenizer
        self.has_adapter = adapter is not None
        self._mergeable = self.has_adapter and mergeable(self.model)
        self.chat: ChatFormat = self.loaded.chat
        self.thought = self.chat.thought
        self.stop_ids = self.loaded.stop_ids
        self.token_unit = "tokens"
        self.runs = ("base", "tuned") if adapter else ("base",)
        self.sizer = BatchSizer(batch_size, start=256 if self.loaded.on_gpu else 48, tokens=batch_tokens)
        # In lower precision than float32, merged and unmerged weights generate different samples.
        apart = "" if self._mergeable or not adapter else NOT_MERGED
        base, tuned = self.loaded.located.identities
        self._identity = Identity(base + quantization_key(quantization), tuned + apart, template_identity(self.chat))
        quantized = quantization or {}
        self._warned = False
        self._settings = HFSettings(
            backend="hf",
            load_in_4bit=bool(quantized.get("load_in_4bit")),
            load_in_8bit=bool(quantized.get("load_in_8bit")),
            dtype=dtype,
        )

    @contextlib.contextmanager
    def adapter(self, on: bool) -> Iterator[None]:
        """Generate with or without the adapter."""
        if not self.has_adapter or (on and not self._mergeable):
            yield
        elif on:
            with merged(self.model):  # saves two matrix products per adapted layer and token
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
        """Answer requests in batches of similar lengths; a batch that does not fit in memory is halved.

        A warning is printed once, on standard error, if completions may exceed the model's context.

        Raises:
            AltTrainError: Not even one sequence fits in memory.
        """
        lengths = self.count_tokens([request.text for request in requests])
        self._warn_context(lengths, sampling.max_new_tokens)

        def answer(batch: list[int]) -> list[Generated]:
            some = [requests[i] for i in batch]
            pick = sampler(sampling, [request.seed for request in some])
            return self.generate([r.text for r in some], sampling.max_new_tokens, on_token, pick)

        groups = [request.group for request in requests]
        with self.adapter(run == "tuned"):
            for index, output in in_batches(lengths, groups, sampling.max_new_tokens, self.sizer, answer):
                on_result(index, output)

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, on_token: OnToken | None = None, pick: Any = None
    ) -> list[Generated]:
        """Completions of one batch of rendered prompts, greedy unless ``pick`` says otherwise.

        Args:
            prompts: Texts from :meth:`ChatFormat.prompt`.
            max_new_tokens: Maximum tokens per completion.
            on_token: Called after each step with the number of unfinished sequences in the batch.
            pick: See :func:`axolotl_alttrain.generation.decoding.decode`.

        Returns:
            One completion per prompt, in order.
        """
        found = self.loaded.complete(prompts, max_new_tokens, on_token, pick)
        return [Generated(one.text, "stop" if one.stopped else "length", one.tokens) for one in found]

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`: one forward pass for each place, and all words are listed."""
        prompts = self.chat.encode([place.text for place in places])
        rows = [[*ids, *place.before] for ids, place in zip(prompts, places, strict=True)]

        def read(batch: list[int]) -> list[WordShares]:
            found = self.loaded.next_log_probabilities([rows[i] for i in batch])
            return [WordShares({word: float(found[n, word]) for word in places[i].words}) for n, i in enumerate(batch)]

        with self.adapter(run == "tuned"):
            yield from in_batches([len(row) for row in rows], [""] * len(rows), 1, self.sizer, read)

    def _warn_context(self, lengths: Sequence[int], new_tokens: int) -> None:
        context = self.loaded.longest
        beyond = [length for length in lengths if context and length + new_tokens > context]
        if beyond and not self._warned:
            self._warned = True
            print(
                f"eval.run: with --max-new-tokens {new_tokens}, {len(beyond)} of {len(lengths)} prompts (the longest "
                f"has {max(beyond)} tokens) may exceed the model's context of {context} (max_position_embeddings)",
                file=sys.stderr,
            )
