"""A guard behind vLLM or any OpenAI-compatible server."""

from __future__ import annotations

import json
from typing import Any

from axolotl_alttrain.eval.judges.base import Case, Judgement
from axolotl_alttrain.eval.judges.guards.guard_file import Guard
from axolotl_alttrain.eval.judges.guards.guard_prompt import GuardPrompt
from axolotl_alttrain.eval.judges.served import ServedJudge

from axolotl_alttrain.generation.server.openai_client import completion
from axolotl_alttrain.generation.server.openai_reply import reply


class ServedGuard(ServedJudge):
    """Asks a served guard.

    Args:
        guard: Its file.
        url: Up to and including ``/v1``.
        model: Its name on the server; by default that of the file.
        concurrency: Requests in flight.
    """

    flags = "--guard-url, --guard-name and that the server has the guard's chat template"

    def __init__(self, guard: Guard, url: str, model: str | None = None, concurrency: int = 8) -> None:
        self.guard, self.name, self.version = guard, guard.name, guard.version
        self.detects_refusal = guard.refusal is not None
        super().__init__(model or guard.model, url, concurrency)
        self.prompt = GuardPrompt(guard)
        self.identity = json.dumps([self.model, self.address, guard.model_dump(exclude={"sources", "variants"})])

    async def ask(self, client: Any, case: Case) -> Judgement:
        """See :meth:`ServedJudge.ask`."""
        body: dict[str, Any] = {"model": self.model, "temperature": 0, "max_tokens": self.guard.max_tokens}
        if (text := self.prompt.text(case)) is not None:
            answer = await completion(client, chat=False, prompt=text, **body)
        else:
            if self.guard.template_args:
                body["extra_body"] = {"chat_template_kwargs": self.guard.template_args}
            answer = await completion(client, messages=self.prompt.messages(case), **body)
        said = reply(answer.choices[0])
        return self.guard.read(said.text, said.finish == "stop")
