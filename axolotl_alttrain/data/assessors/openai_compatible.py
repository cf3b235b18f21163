"""Assess with any endpoint that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessor, Dialogue, Outcome, Question, prompt_version
from axolotl_alttrain.data.build_config import OpenAIConfig
from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.generation.server.openai_client import MESSAGE_CHARS, api_key, ask_all, completion, server_address
from axolotl_alttrain.generation.server.openai_reply import reply


class OpenAIAssessor(Assessor):
    """Ask an OpenAI-compatible endpoint.

    Args:
        config: Model, address, limits.
        with_refusal: Also ask for the stop statement and the refusal.
    """

    kind = "openai_compatible"

    def __init__(self, config: OpenAIConfig, with_refusal: bool = False) -> None:
        self.config, self.with_refusal = config, with_refusal
        self._answered = False
        self.model, self.prompt = config.model, prompt_version(with_refusal)
        settings = f"{config.model}:{self.prompt}:{config.temperature}:{config.attempts}"
        self.identity = f"openai_compatible:{server_address(config.base_url)}:{settings}"
        self.former_identity = f"openai_compatible:{settings}"
        self.statement = f"Assessed by {config.model} through an OpenAI-compatible endpoint, prompt {self.prompt}."

    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """See :meth:`Assessor.assess`."""
        from aiolimiter import AsyncLimiter

        config = self.config
        if (key := api_key(config.api_key_env, config.base_url)) is None:
            raise AltTrainError(
                f"there is no API key; set the environment variable {config.api_key_env}, or 'base_url'"
            )
        limiter = AsyncLimiter(max(config.requests_per_minute / 60, 1), 1) if config.requests_per_minute else None
        if config.requests_per_minute and config.requests_per_minute < 60:
            limiter = AsyncLimiter(1, 60 / config.requests_per_minute)

        async def ask(client: Any, question: Question) -> Outcome:
            return await self._ask(client, question, limiter)

        for _, outcome in ask_all(
            ask, questions, concurrency=config.concurrency, api_key=key, base_url=config.base_url,
            timeout=config.timeout_s, max_retries=config.max_retries,
        ):  # fmt: skip
            yield outcome

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
                answer = await completion(
                    client,
                    model=self.config.model,
                    messages=dialogue.messages,
                    temperature=self.config.temperature,
                    max_tokens=self.config.max_tokens,
                    **options,
                )
            except openai.BadRequestError as error:
                # Some servers filter queries (Azure's code is content_filter), which concerns only this query. If the
                # server refuses the first request for another reason, the config is wrong.
                if error.code != "content_filter" and not self._answered:
                    raise AltTrainError(_explained(error, self.config)) from None
                return dialogue.refused(first_line(error, MESSAGE_CHARS))
            except openai.APIError as error:
                raise AltTrainError(_explained(error, self.config)) from None
            self._answered = True
            usage = answer.usage
            text = reply(answer.choices[0]).text
            counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
            if dialogue.reply(text, *counts):
                return dialogue.outcome()


def _explained(error: Any, config: OpenAIConfig) -> str:
    status = getattr(error, "status_code", None)
    what = f"status {status}" if status else type(error).__name__
    remedy = {
        401: f"check the key in {config.api_key_env}",
        404: "check 'model' and 'base_url'",
        400: "the server refuses the request; set 'response_format: none' for servers without a JSON mode",
    }.get(status or 0, "run the same command again: finished assessments are kept, only the rest is asked")
    where = server_address(config.base_url)
    return f"assessor {config.model} at {where}: {what} ({first_line(error, MESSAGE_CHARS)}); {remedy}"
