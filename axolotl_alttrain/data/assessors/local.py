"""Assess by a Hugging Face model on this machine, in batches, greedily."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessor, Dialogue, Outcome, Question, prompt_version
from axolotl_alttrain.data.build_config import LocalConfig
from axolotl_alttrain.generation.demo_model import resolve_model


class LocalAssessor(Assessor):
    """Ask a local causal language model through its own chat template.

    Args:
        config: Model and batch.
        with_refusal: Have stop statement and refusal written too.
    """

    kind = "local"

    def __init__(self, config: LocalConfig, with_refusal: bool = False) -> None:
        self.config, self.with_refusal = config, with_refusal
        self.model, self.prompt = config.model, prompt_version(with_refusal)
        self.identity = f"local:{config.model}:{self.prompt}:{config.max_tokens}:{config.attempts}"
        self.statement = f"Assessed by {config.model} on the builder's own machine, prompt {self.prompt}."
        self._loaded: tuple[Any, Any] | None = None

    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """See :meth:`Assessor.assess`."""
        remaining = iter(questions)
        open_ones: list[Dialogue] = []
        while True:
            # What is asked again shares a batch with what is new.
            room = self.config.batch_size - len(open_ones)
            fresh = islice(remaining, room)
            open_ones += [Dialogue(question, self.config.attempts, self.with_refusal) for question in fresh]
            if not open_ones:
                return
            replies = self._generate([dialogue.messages for dialogue in open_ones])
            unfinished = []
            for dialogue, (text, given, made) in zip(open_ones, replies, strict=True):
                if dialogue.reply(text, given, made):
                    yield dialogue.outcome()
                else:
                    unfinished.append(dialogue)
            open_ones = unfinished

    def _generate(self, conversations: list[list[dict[str, str]]]) -> list[tuple[str, int, int]]:
        """Reply, prompt tokens and new tokens of each conversation."""
        import torch

        model, tokenizer = self._load()
        prompts = [
            tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            for messages in conversations
        ]
        batch = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            out = model.generate(
                **batch,
                max_new_tokens=self.config.max_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=tokenizer.pad_token_id,
            )
        new = out[:, batch["input_ids"].shape[1] :]
        texts = tokenizer.batch_decode(new, skip_special_tokens=True)
        given = batch["attention_mask"].sum(dim=1).tolist()
        made = (new != tokenizer.pad_token_id).sum(dim=1).tolist()
        return list(zip(texts, given, made, strict=True))

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            from transformers import AutoModelForCausalLM, AutoTokenizer

            path = resolve_model(self.config.model)
            tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            model = AutoModelForCausalLM.from_pretrained(path, dtype="auto", device_map="auto")
            self._loaded = model.eval(), tokenizer
        return self._loaded
