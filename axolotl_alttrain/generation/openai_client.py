"""Many concurrent requests to a server that speaks OpenAI's protocol.

The official client retries 408, 409, 429 and 5xx answers, timeouts and broken connections, with growing pauses and as
``Retry-After`` says (https://github.com/openai/openai-python, "Retries").
"""

from __future__ import annotations

import asyncio
import os
import queue
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from axolotl_alttrain.errors import AltTrainError, shown

# Statuses that concern one request, not the server: filtered, longer than the context, malformed.
REFUSED = (400, 413, 422)
OPENAI_URL = "https://api.openai.com/v1"

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def api_key(variable: str, base_url: str | None) -> str | None:
    """The key in an environment variable.

    Args:
        variable: The variable's name.
        base_url: The server's address; None for OpenAI's own, which requires a key.

    Returns:
        The key; without one ``none`` for a named server, as local servers need no key, and None for OpenAI's.
    """
    return os.environ.get(variable) or ("none" if base_url else None)


def server_address(base_url: str | None = None) -> str:
    """A server's address as it enters keys and reports: without user, password, query and closing slash.

    Args:
        base_url: As the user gives it. Without one the openai client takes ``OPENAI_BASE_URL``, or OpenAI's own.
    """
    url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
    parts = urlsplit(url if "://" in url else f"//{url}")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/") if parts.scheme else f"{host}{parts.path}".rstrip("/")


async def completion(client: Any, *, chat: bool = True, **body: Any) -> Any:
    """Request one completion.

    Args:
        client: An ``openai.AsyncOpenAI``.
        chat: Use ``/chat/completions``, otherwise ``/completions``.
        body: The request's fields.

    Raises:
        AltTrainError: Status 200 without a choice: a proxy's page, or an error in the body.
    """
    endpoint, part = (client.chat.completions, "message") if chat else (client.completions, "text")
    try:
        answer: Any = await endpoint.create(**body)
    except ValueError as error:  # JSON by its header alone
        answer = getattr(error, "doc", error)
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices or getattr(choices[0], part, None) is None:
        came = answer.to_dict() if hasattr(answer, "to_dict") else answer
        raise AltTrainError(
            f"{client.base_url} returned {shown(came, 160)}, which is no completion; give the address of an "
            "OpenAI-compatible server, up to and including /v1"
        )
    return answer


def first_line(error: Exception) -> str:
    """The beginning of a server's message, on one line; our own errors in full."""
    if isinstance(error, AltTrainError):
        return str(error)
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    body = getattr(error, "body", None)
    detail = body.get("detail") if isinstance(body, Mapping) else None  # where FastAPI has its message
    return (f"{text} - {detail}" if detail else text)[:200]


def ask_all(
    ask: Callable[[Any, Item], Awaitable[Answer]],
    items: Iterable[Item],
    *,
    concurrency: int,
    patience: int = 1,
    **client: Any,
) -> Iterator[tuple[Item, Answer]]:
    """Request an answer for every item concurrently; yield each item with its answer as it arrives, in any order.

    Items are taken one by one as requests finish. After a failure no further request is sent, but those in flight are
    paid for, so they are awaited and yielded. Closing the iterator, also by an interruption, cancels them.

    Args:
        ask: Sends one item through the client, an ``openai.AsyncOpenAI``.
        items: What to ask.
        concurrency: Requests in flight.
        patience: Consecutive failures after which to stop. With more than one, a failed item does not stop the others.
        client: Passed to ``openai.AsyncOpenAI``: address, key, timeout, retries.

    Raises:
        Exception: What the first failed ``ask`` raised, after all answers have arrived.
    """
    from anyio.from_thread import start_blocking_portal
    from openai import AsyncOpenAI

    answered: queue.SimpleQueue[tuple[Item, Answer] | None] = queue.SimpleQueue()
    failures: list[Exception] = []
    waiting = iter(items)

    async def work(server: Any, row: list[Exception]) -> None:
        # Nothing else runs between the test and the first await, so no item is taken twice.
        while len(row) < patience:
            try:
                item = next(waiting)
                answer = await ask(server, item)
            except StopIteration:
                return
            except Exception as error:
                failures.append(error)
                row.append(error)
            else:
                if len(row) < patience:  # otherwise the loop has ended, and this answer was in flight
                    row.clear()
                answered.put((item, answer))

    async def run() -> None:
        row: list[Exception] = []
        try:
            async with AsyncOpenAI(**client) as server:
                await asyncio.gather(*(work(server, row) for _ in range(concurrency)))
        finally:
            answered.put(None)

    # The event loop runs in its own thread, so this also works inside a running loop, as in a notebook.
    with start_blocking_portal() as portal:
        running = portal.start_task_soon(run)
        while (found := answered.get()) is not None:
            yield found
        running.result()
    if failures:
        raise failures[0]
