"""Assess with a Hugging Face model on this machine, in batches, greedily."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from axolotl_alttrain.data.assessors.base import Assessor, Dialogue, Outcome, Question, prompt_version
from axolotl_alttrain.data.build_config import LocalConfig
from axolotl_alttrain.format.probing.render_limits import rendered_prompt
from axolotl_alttrain.generation.loading import LoadedModel, ModelSpec, find_model, load_model

_REMEDY = "use an instruction-tuned model whose template takes them"


class LocalAssessor(Assessor):
    """Ask a local causal language model through its own chat template.

    Args:
        config: Model and batch.
        with_refusal: Also ask for the stop statement and the refusal.

    Raises:
        AltTrainError: The model cannot be found.
    """

    kind = "local"

    def __init__(self, config: LocalConfig, with_refusal: bool = False) -> None:
        self.config, self.with_refusal = config, with_refusal
        self.model, self.prompt = config.model, prompt_version(with_refusal)
        self._spec = ModelSpec(config.model, flag="assessor model")
        found = find_model(self._spec)
        if found.commit:
            self._spec = replace(self._spec, model_revision=found.commit)
        settings = f"{self.prompt}:{config.max_tokens}:{config.attempts}"
        self.identity = f"local:{found.identities[0]}:{settings}"
        self.former_identity = f"local:{config.model}:{settings}"
        self.statement = f"Assessed by {config.model} on the builder's own machine, prompt {self.prompt}."
        self._loaded: LoadedModel | None = None

    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """See :meth:`Assessor.assess`."""
        remaining = iter(questions)
        open_ones: list[Dialogue] = []
        while True:
            # Repeated questions share a batch with new ones.
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
        if self._loaded is None:
            self._loaded = load_model(self._spec)
        tokenizer = self._loaded.tokenizer
        template = f"assessor model {self.config.model}: its chat template"
        prompts = [rendered_prompt(tokenizer, turns, template, _REMEDY) for turns in conversations]
        given = tokenizer(prompts, add_special_tokens=False)["input_ids"]
        replies = self._loaded.complete(prompts, self.config.max_tokens, skip_special_tokens=True)
        return [(reply.text, len(ids), reply.tokens) for reply, ids in zip(replies, given, strict=True)]
