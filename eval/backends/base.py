"""What every backend takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.next_word import NextWord, WordShares
from axolotl_alttrain.generation.sampling import Sampling

NOT_MERGED = ", not merged"  # after the identity of an adapter that is computed beside its base


@dataclass(frozen=True)
class Generated:
    """One completion: its text without the stop token, how it ended, and its length in tokens."""

    text: str
    finish: str
    tokens: int


@dataclass(frozen=True)
class Request:
    """One completion to generate.

    Attributes:
        text: The rendered prompt, prefill included; empty if only the server can render it.
        messages: The conversation.
        group: Requests of one group have answers of similar length and may share a batch.
        seed: For sampling; the same in every run of the same request.
    """

    text: str
    messages: tuple[Message, ...]
    group: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Identity:
    """What produces a run's completions, as it enters a sample's key.

    Attributes:
        model: Hub ID and commit, a local folder's name and digest, or a server's URL and model name.
        adapter: The same for the adapter; empty for the base.
        template: Digest of the chat template and its variables.
    """

    model: str
    adapter: str
    template: str


@dataclass(frozen=True)
class BackendSettings:
    """A backend's settings that may change a completion; they enter keys and the summary."""

    backend: str

    def as_dict(self) -> dict[str, str | bool]:
        """By name, as they are written to JSON."""
        return asdict(self)


class RequestsRefused(AltTrainError):
    """The server refused these requests; all others are answered.

    Args:
        message: Complete on its own.
        reasons: By index of the request.
    """

    def __init__(self, message: str, reasons: dict[int, str]) -> None:
        super().__init__(message)
        self.reasons = reasons


OnResult = Callable[[int, Generated], None]
OnToken = Callable[[int], None]


class LocalModel:
    """The common part of backends that load the model and its tokenizer themselves."""

    chat: ChatFormat
    thought: ThoughtFormat
    runs: tuple[str, ...]
    token_unit: str
    _identity: Identity
    _settings: BackendSettings

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt as inference renders it."""
        return self.chat.prompt(messages)

    def identity(self, run: str) -> Identity:
        """What answers in a run."""
        return self._identity if run == "tuned" else replace(self._identity, adapter="")

    def settings(self) -> BackendSettings:
        """How the weights are loaded."""
        return self._settings

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths of texts in tokens, without special tokens added."""
        return [len(ids) for ids in self.chat.encode(texts)]

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """As :meth:`Backend.complete`."""
        raise NotImplementedError

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what outlives the object."""


class Backend(Protocol):
    """A model with an optional adapter.

    Attributes:
        thought: How its template delimits thoughts.
        runs: ``base``, ``tuned``, or both.
        token_unit: What :meth:`count_tokens` counts: ``tokens``, or ``words`` without a tokenizer.
        chat: Its chat template; None if only the server knows it.
    """

    thought: ThoughtFormat
    runs: tuple[str, ...]
    token_unit: str

    @property
    def chat(self) -> ChatFormat | None:
        """See above."""

    def render(self, messages: Sequence[Message]) -> str | None:
        """The prompt as the model sees it; None if only the server knows its template."""

    def identity(self, run: str) -> Identity:
        """What answers in a run, as it enters a sample's key."""

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer all requests, in any order; ``on_result`` receives each with its index as soon as it is ready.

        Raises:
            RequestsRefused: The server refused some requests; all others are answered.
        """

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """Index and log-probabilities of each place, in any order.

        Raises:
            NoLogProbabilities: The backend gives none.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths of texts in tokens."""

    def settings(self) -> BackendSettings:
        """The settings that may change a completion."""
