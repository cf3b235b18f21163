"""What every backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.sampling import Sampling


@dataclass(frozen=True)
class Generated:
    """One completion: its text without the stop token, how it ended, and its length in tokens."""

    text: str
    finish: str
    tokens: int


@dataclass(frozen=True)
class Request:
    """One completion that is wanted.

    Attributes:
        text: The rendered prompt, with what is prefilled; empty where only the server can render.
        messages: The conversation.
        group: Requests of one group have answers of similar length and may share a batch.
        seed: For sampling, the same in every run of the same request.
    """

    text: str
    messages: tuple[Message, ...]
    group: str = ""
    seed: int = 0


class RequestsRefused(AltTrainError):
    """All other requests are answered; these are not, each for a reason of its own.

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
    """What backends share that hold the model and its tokenizer themselves."""

    chat: ChatFormat
    _identity: tuple[str, str, str]
    _settings: dict[str, Any]

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt as inference renders it."""
        return self.chat.prompt(messages)

    def identity(self, run: str) -> tuple[str, str, str]:
        """Model, adapter and template, as they enter a sample's key."""
        model, adapter, template = self._identity
        return model, adapter if run == "tuned" else "", template

    def settings(self) -> dict[str, Any]:
        """How the weights are loaded."""
        return dict(self._settings)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths of texts in tokens, without special tokens added."""
        return [len(ids) for ids in self.chat.encode(texts)]


class Backend(Protocol):
    """A model with an optional adapter.

    Attributes:
        thought: How its template writes thoughts.
        runs: ``base`` and, with an adapter, ``tuned``.
        token_unit: What :meth:`count_tokens` counts: ``tokens``, or ``words`` where there is no tokenizer.
    """

    thought: ThoughtFormat
    runs: tuple[str, ...]
    token_unit: str

    def render(self, messages: Sequence[Message]) -> str | None:
        """The prompt as the model sees it; None where only the server knows its template."""

    def identity(self, run: str) -> tuple[str, str, str]:
        """Model, adapter and template, as they enter a sample's key."""

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer all requests, in any order; ``on_result`` gets each with its index as it is done.

        Raises:
            RequestsRefused: Some cannot be answered, all others are.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths of texts in tokens."""

    def settings(self) -> dict[str, Any]:
        """What of this backend's settings may change a completion; enters keys and the summary."""
