"""Judges behind an OpenAI-compatible server, with concurrent requests."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from axolotl_alttrain.eval.judges.base import Case, Judgement

from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.generation.server.openai_client import MESSAGE_CHARS, REFUSED, api_key, ask_all, server_address

HARMLESS = Case(({"role": "user", "content": "What is the capital of France?"},), "The capital of France is Paris.")


class ServedJudge(ABC):
    """Asks a served model about each case.

    Args:
        model: Name of the model on the server.
        base_url: The server; by default OpenAI's. The key is read from ``OPENAI_API_KEY``.
        concurrency: Requests in flight.
        http_retries: Retries by the client after connection errors, rate limits and server errors, with backoff.

    Attributes:
        address: The server's address as it enters the identity; None for the default.
        flags: What to check if the server refuses everything.

    Raises:
        AltTrainError: OpenAI's own server is used without a key.
    """

    name = ""
    version = 0
    identity = ""
    detects_refusal = False
    reads_thoughts = True
    flags = ""

    def __init__(self, model: str, base_url: str | None, concurrency: int, http_retries: int = 5) -> None:
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        if (key := api_key("OPENAI_API_KEY", base_url)) is None:
            raise AltTrainError(
                f"--judges {self.name}: no API key; set the environment variable OPENAI_API_KEY or give --judge-url"
            )
        self._client: dict[str, Any] = {"api_key": key, "base_url": base_url, "max_retries": http_retries}
        self.model, self.concurrency = model, concurrency
        self.address = base_url and server_address(base_url)

    @abstractmethod
    async def ask(self, client: Any, case: Case) -> Judgement:
        """Ask about one case through ``client``, an ``openai.AsyncOpenAI``."""

    def judge(self, cases: Sequence[Case]) -> Iterator[tuple[int, Judgement]]:
        """Judge all cases concurrently. A text that the server refuses, for example by a filter, is ``undetermined``.

        Raises:
            AltTrainError: The server also refuses a harmless text, violates the protocol, or cannot be reached after
                the client's retries.
        """
        from openai import APIStatusError, OpenAIError

        probing = asyncio.Lock()
        accepted_any = False

        async def ask(client: Any, place: int) -> Judgement:
            nonlocal accepted_any
            try:
                found = await self.ask(client, cases[place])
            except APIStatusError as error:
                if error.status_code not in REFUSED:
                    raise
                async with probing:
                    if not accepted_any:  # if the server refuses every text, the flags are wrong
                        await self.ask(client, HARMLESS)
                        accepted_any = True
                return Judgement("undetermined", None, f"[not judged: {first_line(error, MESSAGE_CHARS)}]")
            accepted_any = True
            return found

        try:
            yield from ask_all(ask, range(len(cases)), concurrency=self.concurrency, **self._client)
        except (OpenAIError, AltTrainError) as error:
            remedy = "judgements so far are stored; run the same command again to resume"
            if isinstance(error, APIStatusError) and error.status_code in REFUSED:
                remedy = f"a harmless text is refused as well; check {self.flags}"
            where = server_address(self._client["base_url"])
            raise AltTrainError(
                f"--judges {self.name}: {self.model} at {where}: {first_line(error, MESSAGE_CHARS)}; {remedy}"
            ) from None
