"""A model whose answers another program has recorded: nothing is generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from axolotl_alttrain.eval.backends.base import BackendSettings, Identity, LocalModel

from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import load_tokenizer
from axolotl_alttrain.generation.next_word import NextWord, NoLogProbabilities, WordShares


class RecordedBackend(LocalModel):
    """Knows how the model writes thoughts and how long texts are; ``complete`` is not implemented.

    Args:
        model: Its name.
        tools: The programs that asked it.
        tokenizer: Folder or Hub ID; without it, thoughts are in think tags and lengths in words.
        thought_format: As ``--thought-format``.

    Raises:
        AltTrainError: The tokenizer is unavailable.
    """

    chat: Any = None

    def __init__(self, model: str, tools: str, tokenizer: str | None = None, thought_format: str = "auto") -> None:
        self.runs = ("base",)
        self.thought, self.token_unit, template = ThoughtFormat(), "words", "the server's"
        if tokenizer:
            loaded = load_tokenizer(tokenizer, f"--tokenizer {tokenizer}")
            self.chat = learn_format(loaded, thought_format=thought_format)
            self.thought, self.token_unit, template = self.chat.thought, "tokens", template_identity(self.chat)
        self._identity = Identity(model, "", template)
        self._settings = BackendSettings(f"transcripts of {tools}")

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """Transcripts hold no log-probabilities."""
        raise NoLogProbabilities("transcripts hold no log-probabilities")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths in tokens, or in words without a tokenizer."""
        return super().count_tokens(texts) if self.chat else [len(text.split()) for text in texts]
