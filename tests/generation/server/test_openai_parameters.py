"""Models that refuse parameters, behind a real server."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from openai import BadRequestError

from axolotl_alttrain.generation.server.openai_client import ask_all, completion
from axolotl_alttrain.generation.server.openai_reply import reply
from tests.openai_server import Reply, Request, serve

BODY = {"model": "m", "temperature": 0, "top_p": 1.0, "max_tokens": 5, "seed": 3}


def refusal(param: str, message: str, code: str = "unsupported_parameter") -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Reply(status=400, body=json.dumps({"error": error}))


def reasoning_model(request: Request) -> Reply:
    """Refuses as OpenAI's reasoning models do, one parameter at a time."""
    if "max_tokens" in request.body:
        return refusal(
            "max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        )  # fmt: skip
    if "temperature" in request.body:
        return refusal(
            "temperature", "Unsupported value: 'temperature' does not support 0 with this model.", "unsupported_value"
        )
    return Reply("Paris.")


def ask(url: str, questions: list[str]) -> list[str]:
    async def one(client: Any, text: str) -> str:
        answer = await completion(client, messages=[{"role": "user", "content": text}], **BODY)
        return reply(answer.choices[0]).text

    found = ask_all(one, questions, concurrency=1, base_url=url, api_key="none", max_retries=0)
    return [text for _, text in found]


def test_a_model_that_refuses_two_parameters(caplog: pytest.LogCaptureFixture) -> None:
    with serve(reasoning_model) as server, caplog.at_level(logging.WARNING):
        assert ask(server.url, ["1", "2", "3"]) == ["Paris."] * 3
        bodies = [request.body for request in server.requests]
    assert len(bodies) == 5  # two refusals, which are remembered
    assert {key: bodies[-1][key] for key in ("max_completion_tokens", "top_p", "seed")} == {
        "max_completion_tokens": 5,
        "top_p": 1.0,
        "seed": 3,
    }
    assert not {"max_tokens", "temperature"} & set(bodies[-1])
    warned = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert warned == [f"m at {server.url}/ refuses temperature=0; the model's own value is used"]


@pytest.mark.parametrize(
    "message",
    ["'max_tokens' or 'max_completion_tokens' is too large: 99.", "temperature must be at most 2", "Filtered."],
)
def test_other_refusals_are_raised(message: str) -> None:
    with serve(lambda _: refusal("", message)) as server, pytest.raises(BadRequestError):
        ask(server.url, ["1"])
