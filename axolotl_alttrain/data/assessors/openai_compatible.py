"""Assess by any endpoint that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp and others.

The official client retries 408, 409, 429 and 5xx answers, timeouts and broken connections, with exponential back-off
and as ``Retry-After`` says (https://github.com/openai/openai-python, "Retries"). Questions are taken one by one as
requests finish, so that ``concurrency`` requests are held and no more than that many questions are in memory.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessor, Dialogue, Outcome, Question, prompt_version
from axolotl_alttrain.data.config import OpenAIConfig
from axolotl_alttrain.errors import AltTrainError


class OpenAIAssessor(Assessor):
    """Ask an OpenAI-compatible endpoint.

    Args:
        config: Model, address, limits.
        with_refusal: Have stop statement and refusal written too.
    """

    kind = "openai_compatible"

    def __init__(self, config: OpenAIConfig, with_refusal: bool = False) -> None:
        self.config, self.with_refusal = config, with_refusal
        self._answered = False
        self.model, self.prompt = config.model, prompt_version(with_refusal)
        self.identity = f"openai_compatible:{config.model}:{self.prompt}:{config.temperature}:{config.attempts}"
        self.statement = f"Assessed by {config.model} through an OpenAI-compatible endpoint, prompt {self.prompt}."

    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """See :meth:`Assessor.assess`."""
        # The event loop has a thread of its own; outcomes come back through a queue as they are ready.
        outcomes: queue.Queue[Outcome | BaseException | None] = queue.Queue(maxsize=4 * self.config.concurrency)
        stopped = threading.Event()

        def run() -> None:
            try:
                asyncio.run(self._ask_all(iter(questions), outcomes, stopped))
                outcomes.put(None)
            except BaseException as error:
                outcomes.put(error)

        thread = threading.Thread(target=run, daemon=True, name="assessor")
        thread.start()
        try:
            while (found := outcomes.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            stopped.set()
            while thread.is_alive():  # a full queue must not hold the thread back
                try:
                    outcomes.get(timeout=0.05)
                except queue.Empty:
                    continue

    async def _ask_all(self, questions: Iterator[Question], outcomes: Any, stopped: threading.Event) -> None:
        from aiolimiter import AsyncLimiter
        from openai import AsyncOpenAI

        config = self.config
        key = os.environ.get(config.api_key_env) or ("none" if config.base_url else None)
        if key is None:
            raise AltTrainError(f"no API key: set the environment variable {config.api_key_env}, or 'base_url'")
        limiter = AsyncLimiter(max(config.requests_per_minute / 60, 1), 1) if config.requests_per_minute else None
        if config.requests_per_minute and config.requests_per_minute < 60:
            limiter = AsyncLimiter(1, 60 / config.requests_per_minute)

        async with AsyncOpenAI(
            api_key=key, base_url=config.base_url, timeout=config.timeout_s, max_retries=config.max_retries
        ) as client:

            async def work() -> None:
                # Between `next` and the first await nothing else runs: no question is taken twice.
                for question in questions:
                    if stopped.is_set():
                        return
                    outcome = await self._ask(client, question, limiter)
                    await asyncio.to_thread(outcomes.put, outcome)

            tasks = [asyncio.create_task(work()) for _ in range(config.concurrency)]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, client: Any, question: Question, limiter: Any) -> Outcome:
        import openai

        dialogue = Dialogue(question, self.config.attempts, self.with_refusal)
        options: dict[str, Any] = {}
        if self.config.response_format == "json_object":
            options["response_format"] = {"type": "json_object"}
        while True:
            if limiter is not None:
                await limiter.acquire()
            try:
                completion = await client.chat.completions.create(
                    model=self.config.model,
                    messages=dialogue.messages,
                    temperature=self.config.temperature,
                    max_tokens=self.config.max_tokens,
                    **options,
                )
            except openai.BadRequestError as error:
                # Some servers filter what they are asked (Azure's code is content_filter). That concerns this query
                # alone; a request that no query gets through is a mistake in the config.
                if error.code != "content_filter" and not self._answered:
                    raise AltTrainError(_explained(error, self.config)) from None
                return dialogue.refused(_first_line(error))
            except openai.APIError as error:
                raise AltTrainError(_explained(error, self.config)) from None
            self._answered = True
            usage = completion.usage
            text = (completion.choices[0].message.content or "") if completion.choices else ""
            counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
            if dialogue.reply(text, *counts):
                return dialogue.outcome()


def _explained(error: Any, config: OpenAIConfig) -> str:
    status = getattr(error, "status_code", None)
    what = f"status {status}" if status else type(error).__name__
    remedy = {
        401: f"check the key in {config.api_key_env}",
        404: "check 'model' and 'base_url'",
        400: "the server refuses the request; 'response_format: none' helps with servers that know no JSON mode",
    }.get(status or 0, "run the same command again: what is assessed is kept, only the rest is asked")
    where = config.base_url or "api.openai.com"
    return f"assessor {config.model} at {where}: {what} ({_first_line(error)}); {remedy}"


def _first_line(error: Any) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
