"""The API backend: any OpenAI-compatible server, with concurrent requests.

With a tokenizer, prompts are rendered locally and sent to ``/completions``: the prompt is exact, thoughts can be
prefilled, and truncated thoughts are visible. The server must leave texts unchanged, as vLLM does. Without a tokenizer,
messages go to ``/chat/completions`` and the server applies its own template.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.eval.backends.base import (
    BackendSettings,
    Generated,
    Identity,
    OnResult,
    OnToken,
    Request,
    RequestsRefused,
)
from axolotl_alttrain.eval.backends.rendered_prompts import RenderedPrompts

from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import load_tokenizer
from axolotl_alttrain.generation.next_word import NextWord, WordShares
from axolotl_alttrain.generation.sampling import Sampling
from axolotl_alttrain.generation.server.openai_client import (
    MESSAGE_CHARS,
    REFUSED,
    api_key,
    ask_all,
    completion,
    server_address,
)
from axolotl_alttrain.generation.server.openai_reply import Reply, reply
from axolotl_alttrain.generation.trained.chat_format import recorded_format
from axolotl_alttrain.storage.write_errors import WriteError

RETRIES = 6  # by the openai client, with increasing delays
TIMEOUT = 3600.0  # seconds; long thoughts take long


@dataclass(frozen=True)
class APISettings(BackendSettings):
    """Which endpoint of the protocol is used: ``completions`` or ``chat/completions``."""

    endpoint: str


class SwitchRefused(AltTrainError):
    """A server that renders the prompts does not take variables of its chat template."""

    def __init__(self, url: str, error: Exception) -> None:
        super().__init__(
            f"{url} refuses chat_template_kwargs, with which --thinking turns thinking on and off; add --tokenizer, or "
            f"remove --thinking (the server's reply: {first_line(error, MESSAGE_CHARS)})"
        )


class APIBackend:
    """A served model and, under another name, its tuned form.

    Args:
        model: Name of the served base model.
        adapter: Name under which the same server serves the tuned model or its LoRA adapter.
        base_url: Up to and including ``/v1``; by default, the environment variable ``OPENAI_BASE_URL``.
        tokenizer: Folder or Hub ID; prompts are then rendered locally.
        concurrency: Concurrent requests.
        thought_format: Passed to :func:`axolotl_alttrain.format.template.learn_format`.
        key_variable: Environment variable that holds the key.
        stated: What the user says of the served weights; None if nothing. Samples of other weights are asked again.

    Raises:
        AltTrainError: The client is not installed, no server is named, or the tokenizer is unavailable.
    """

    def __init__(
        self,
        model: str,
        adapter: str | None,
        base_url: str | None = None,
        tokenizer: str | None = None,
        concurrency: int = 16,
        thought_format: str = "auto",
        key_variable: str = "OPENAI_API_KEY",
        stated: str | None = None,
    ) -> None:
        try:
            import openai  # noqa: F401
        except ImportError:
            raise AltTrainError("--backend api needs the package openai; run 'pip install openai'") from None
        given = base_url or os.environ.get("OPENAI_BASE_URL")
        if not given:
            raise AltTrainError(
                "--backend api needs --base-url, the server's address, such as http://localhost:8000/v1"
            )
        self._names = {"base": model, "tuned": adapter or ""}
        self._stated = f", stated: {stated}" if stated else ""
        self._key = api_key(key_variable, given)
        self._given_url, self.url = given, server_address(given)
        self._concurrency = concurrency
        self.runs: tuple[str, ...] = ("base", "tuned") if adapter else ("base",)
        self.chat: ChatFormat | None = None
        self.rendered: RenderedPrompts | None = None
        self.thought = ThoughtFormat()
        self.token_unit = "words"
        if tokenizer:
            loaded = load_tokenizer(tokenizer, f"--tokenizer {tokenizer}")
            self.chat = recorded_format(tokenizer).learn(loaded, thought_format)
            self.rendered = RenderedPrompts(self.url, self.chat, self.connection())
            self.thought = self.chat.thought
            self.token_unit = "tokens"

    def render(self, messages: Sequence[Message]) -> str | None:
        """The prompt as inference renders it; None if the server renders it."""
        return self.chat.prompt(messages) if self.chat else None

    def identity(self, run: str) -> Identity:
        """Server and name of the model, and the template; a server does not report when its weights change."""
        template = template_identity(self.chat) if self.chat else "the server's"
        adapter = self._names["tuned"] if run == "tuned" else ""
        model = f"{self.url} {self._names['base']}{self._stated}"
        return Identity(model, adapter, template)

    def settings(self) -> APISettings:
        """Which endpoint is used."""
        return APISettings("api", "completions" if self.chat else "chat/completions")

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests concurrently; a failed request does not prevent the others from being written.

        Raises:
            RequestsRefused: The server refused some, such as a prompt longer than its context. All others are answered.
            AltTrainError: A request failed permanently in another way. All others are answered, unless as many
                consecutive requests failed as run concurrently: the server is then considered down.
        """
        from openai import APIStatusError, OpenAIError

        refused: dict[int, str] = {}
        missing = len(requests)

        async def ask(client: Any, index: int) -> Generated | None:
            try:
                return await self._one(client, self._names[run], requests[index], sampling)
            except APIStatusError as error:
                if error.status_code not in REFUSED:
                    raise
                if requests[index].template_kwargs and "chat_template_kwargs" in str(error.body):
                    raise SwitchRefused(self.url, error) from None
                refused[index] = first_line(error, MESSAGE_CHARS)
                return None

        failed: Exception | None = None
        try:
            for index, generated in ask_all(ask, range(len(requests)), patience=self._concurrency, **self.connection()):
                if generated is not None:
                    on_result(index, generated)
                    missing -= 1
        except (SwitchRefused, WriteError):
            raise
        except (OpenAIError, AltTrainError) as error:
            failed = error
        if failed or refused:
            why = refused[min(refused)] if failed is None else first_line(failed, MESSAGE_CHARS)
            if isinstance(failed, OpenAIError):
                why = f"{type(failed).__name__}: {why}"
            message = (
                f"{self.url}: {missing} of {len(requests)} requests have no answer, the first failed with {why}; run "
                "the same command again to retry them"
            )
            raise AltTrainError(message) if failed else RequestsRefused(message, refused)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths in tokens, or in words without a tokenizer."""
        if self.chat:
            return [len(ids) for ids in self.chat.encode(texts)]
        return [len(text.split()) for text in texts]

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`, with a tokenizer: words are found by their text among the likeliest tokens."""
        assert self.rendered is not None
        decode = self.rendered.chat.tokenizer.decode
        texts = [place.text + decode(place.before) for place in places]
        for index, likeliest in self.rendered.likeliest_tokens(self._names[run], texts):
            words = {word: decode([word]).strip() for word in places[index].words}
            listed = {word: found for word, text in words.items() if (found := _by_text(likeliest, text)) is not None}
            yield index, WordShares(listed, None if len(listed) == len(words) else min(likeliest.values()))

    def connection(self) -> dict[str, Any]:
        """How to reach the server, as :func:`axolotl_alttrain.generation.server.openai_client.ask_all` takes it."""
        client = {"base_url": self._given_url, "api_key": self._key, "max_retries": RETRIES, "timeout": TIMEOUT}
        return {"concurrency": self._concurrency, **client}

    def served_name(self, run: str) -> str:
        """The name of a run's model on the server."""
        return self._names[run]

    async def _one(self, client: Any, name: str, request: Request, sampling: Sampling) -> Generated:
        common: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        common["max_tokens"] = sampling.max_new_tokens
        if sampling.temperature:
            common["seed"] = (sampling.seed * 1_000_003 + request.seed) % 2**31
        if self.rendered:
            stop = [self.thought.end.strip()] if self.thought.end.strip() else None
            answer = await self.rendered.completion(client, name, request.text, stop=stop, **common)
            said = reply(answer.choices[0])
            text = said.text.partition(stop[0])[0] if stop else said.text  # some servers leave it in
        else:
            messages = [dict(message) for message in request.messages]
            if request.template_kwargs:
                common["extra_body"] = {"chat_template_kwargs": dict(request.template_kwargs)}
            answer = await completion(client, model=name, messages=messages, **common)
            said = reply(answer.choices[0])
            text = self._joined(said)
        finish = "length" if said.finish == "length" else "stop"
        tokens = answer.usage.completion_tokens if answer.usage else self.count_tokens([text])[0]
        return Generated(text, finish, tokens)

    def _joined(self, said: Reply) -> str:
        """The completion from its two parts if the server separates the thought; a thought alone stays open.

        Servers differ in the white space that they leave at the seams, so it is the template's.
        """
        if not said.thought:
            return said.text
        if not said.text:
            return f"{self.thought.open}{said.thought.lstrip()}"
        return f"{self.thought.open}{said.thought.strip()}{self.thought.close}{said.text.lstrip()}"


def _by_text(likeliest: Mapping[str, float], word: str) -> float | None:
    """The log-probability of a token with this text, whatever white space its tokenizer writes before it."""
    found = [value for text, value in likeliest.items() if text.strip() == word]
    return max(found) if found else None
