"""The Hugging Face backend: the base model is loaded once and serves both base and adapter."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from axolotl_alttrain.eval.backends.base import (
    BackendSettings,
    Generated,
    Identity,
    LocalModel,
    OnResult,
    OnToken,
    Request,
)
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.template import ChatFormat, learn_format
from axolotl_alttrain.generation.batching import BatchSizer, batches
from axolotl_alttrain.generation.greedy import greedy
from axolotl_alttrain.generation.identity import locate, template_identity
from axolotl_alttrain.generation.merging import mergeable, merged
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
        quantization: bitsandbytes' ``quantization_config``, as :func:`choose_quantization` returns it.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        batch_size: Maximum sequences per batch; None for as many as memory allows.
        batch_tokens: Maximum tokens per batch, prompts and completions together.
        model_revision, adapter_revision: Commit, tag or branch of Hub IDs.

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
        on_gpu = torch.cuda.is_available()
        try:
            found = locate(model, adapter, model_revision, adapter_revision)
            at = {"revision": found.commit} if found.commit else {}
            # Axolotl saves the tokenizer, with the chat template used in training, beside the adapter.
            if found.adapter and (Path(found.adapter) / "tokenizer_config.json").is_file():
                self.tokenizer = AutoTokenizer.from_pretrained(found.adapter)
            else:
                self.tokenizer = AutoTokenizer.from_pretrained(model, **at)
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                model,
                **at,
                dtype=dtype,
                quantization_config=_bitsandbytes(quantization, on_gpu),
                device_map="auto" if on_gpu else None,
            )
            if quantization and not on_gpu:
                # The same rounded weights, dequantised once: on CPUs, doing so for every token is slower.
                self.model = self.model.dequantize(torch.float32)
            if found.adapter:
                from peft import PeftModel

                self.model = PeftModel.from_pretrained(self.model, found.adapter)
        except Exception as error:  # files, Hub, formats and mismatched adapters each raise their own type
            what = f"--model {model}" + (f" with --adapter {adapter}" if adapter else "")
            remedy = "check the names and the network" + (
                ", and that the adapter belongs to this model" if adapter else ""
            )
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            reason = " ".join(lines[:2])[:300]
            raise AltTrainError(f"{what} cannot be loaded ({type(error).__name__}: {reason}); {remedy}") from error
        self.model.eval()
        self.has_adapter = adapter is not None
        self._mergeable = self.has_adapter and mergeable(self.model)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token_id = self.tokenizer.eos_token_id
        self.chat: ChatFormat = learn_format(self.tokenizer, thought_format=thought_format)
        self.thought = self.chat.thought
        self.stop_ids = self._stop_ids()
        self.token_unit = "tokens"
        self.runs: tuple[str, ...] = ("base", "tuned") if adapter else ("base",)
        self.sizer = BatchSizer(batch_size, start=256 if on_gpu else 48, tokens=batch_tokens)
        # In lower precision than float32, merged and unmerged weights generate different samples.
        apart = "" if self._mergeable or not adapter else ", not merged"
        base, tuned = found.identities
        self._identity = Identity(base, tuned + apart, template_identity(self.chat))
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
        with self.adapter(run == "tuned"):
            for batch in batches(lengths, [r.group for r in requests], sampling.max_new_tokens, self.sizer):
                some = [requests[i] for i in batch]
                pick = sampler(sampling, [request.seed for request in some])
                try:
                    outputs = self.generate([r.text for r in some], sampling.max_new_tokens, on_token, pick)
                except torch.OutOfMemoryError:
                    outputs = None
                if outputs is None:  # outside the handler, whose traceback would keep the batch in memory
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
            max_new_tokens: Maximum tokens per completion.
            on_token: Called after each step with the number of unfinished sequences in the batch.
            pick: See :func:`axolotl_alttrain.generation.greedy.greedy`.

        Returns:
            One completion per prompt, in order.
        """
        batch = self.tokenizer(list(prompts), add_special_tokens=False, padding=True, return_tensors="pt")
        batch = batch.to(self.model.device)
        ids, mask = batch["input_ids"], batch["attention_mask"]
        new = greedy(self.model, ids, mask, self.stop_ids, max_new_tokens, on_token, pick)
        return [self._completion(ids) for ids in new]

    def _warn_context(self, lengths: Sequence[int], new_tokens: int) -> None:
        context = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        beyond = [length for length in lengths if context and length + new_tokens > context]
        if beyond and not self._warned:
            self._warned = True
            print(
                f"eval.run: with --max-new-tokens {new_tokens}, {len(beyond)} of {len(lengths)} prompts (the longest "
                f"has {max(beyond)} tokens) may exceed the model's context of {context} (max_position_embeddings)",
                file=sys.stderr,
            )

    def _completion(self, ids: list[int]) -> Generated:
        stop = next((i for i, token in enumerate(ids) if token in self.stop_ids), None)
        kept = ids if stop is None else ids[:stop]
        text = self.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return Generated(text, "length" if stop is None else "stop", len(kept) + (stop is not None))

    def _stop_ids(self) -> list[int]:
        end = self.tokenizer(self.chat.thought.end, add_special_tokens=False)["input_ids"][-1:]
        known = self.model.generation_config.eos_token_id
        known = known if isinstance(known, list) else [known]
        ids = {*end, *known, self.tokenizer.eos_token_id} - {None}
        return sorted(ids)


def _bitsandbytes(quantization: Mapping[str, Any] | None, on_gpu: bool) -> BitsAndBytesConfig | None:
    if not quantization:
        return None
    compute = torch.bfloat16 if on_gpu else torch.float32
    return BitsAndBytesConfig.from_dict({**quantization, "bnb_4bit_compute_dtype": compute})
