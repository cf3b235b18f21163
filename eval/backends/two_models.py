"""A base and a tuned model that are two whole models, such as an export and its base."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from axolotl_alttrain.eval.backends.base import BackendSettings, Identity, LocalModel, OnResult, OnToken, Request

from axolotl_alttrain.generation.next_word import NextWord, WordShares
from axolotl_alttrain.generation.sampling import Sampling


class TwoModels(LocalModel):
    """Answers ``base`` with one model and ``tuned`` with another; only one of them is in memory at a time.

    Prompts are rendered with the tuned model's template in both runs, as for a base with an adapter.

    Args:
        load: Loads the model of a run, ``base`` or ``tuned``. Both are loaded once here, so that a mistake shows before
            anything is generated.

    Raises:
        AltTrainError: A model cannot be loaded.
    """

    def __init__(self, load: Mapping[str, Callable[[], LocalModel]]) -> None:
        self._load, self._loaded = load, ""
        self._model: LocalModel | None = None
        tuned = self._open("tuned")
        self.chat, self.thought, self.token_unit = tuned.chat, tuned.thought, tuned.token_unit
        self.runs = ("base", "tuned")
        self._settings = tuned.settings()
        own = self._open("base").identity("base")
        same = self._model is not None and self._model.settings() == self._settings
        self._identities = {
            "base": own if same or self._model is None else _marked(own, self._model.settings()),
            "tuned": tuned.identity("base"),
        }

    def identity(self, run: str) -> Identity:
        """What answers in a run: two models, neither with an adapter."""
        return self._identities[run]

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests with the model of this run, which is loaded if the other one is in memory."""
        self._open(run).complete("base", requests, sampling, on_result, on_token)

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`, of the model of this run."""
        return self._open(run).next_words("base", places)

    def _open(self, run: str) -> LocalModel:
        if self._model is None or self._loaded != run:
            self.close()
            self._model, self._loaded = self._load[run](), run
        return self._model

    def close(self) -> None:
        """Release the model that is in memory."""
        if self._model is not None:
            self._model.close()
        self._model = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _marked(identity: Identity, settings: BackendSettings) -> Identity:
    """An identity with its own settings: a key has only those of the tuned model."""
    return replace(identity, model=f"{identity.model} {json.dumps(settings.as_dict(), sort_keys=True)}")
