"""Many requests at once to a server that speaks OpenAI's protocol: one loop for all that ask one.

The official client retries 408, 409, 429 and 5xx answers, timeouts and broken connections, with growing pauses and as
``Retry-After`` says (https://github.com/openai/openai-python, "Retries").
"""

from __future__ import annotations

import asyncio
import os
import queue
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

from axolotl_alttrain.errors import AltTrainError, shown

# Statuses that are about one request, not the server: filtered, longer than the context, not as the server wants it.
REFUSED = (400, 413, 422)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def api_key(variable: str, base_url: str | None) -> str | None:
    """The key in an environment variable; without one ``none`` for a server that was named, as local ones ask for none.

    Args:
        variable: Its name.
        base_url: The server's address; None for OpenAI's own, which wants a key.
    """
    return os.environ.get(variable) or ("none" if base_url else None)


async def completion(client: Any, *, chat: bool = True, **body: Any) -> Any:
    """Ask for one completion that has a choice.

    Args:
        client: An ``openai.AsyncOpenAI``.
        chat: By ``/chat/completions``; otherwise by ``/completions``.
        body: Of the request.

    Raises:
        AltTrainError: Status 200, but no choice: a page of a proxy, or an error that is told in the body.
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
    """The beginning of what a server says, for one line; our own errors in whole."""
    if isinstance(error, AltTrainError):
        return str(error)
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def ask_all(
    ask: Callable[[Any, Item], Awaitable[Answer]],
    items: Iterable[Item],
    *,
    concurrency: int,
    patience: int = 1,
    **client: Any,
) -> Iterator[tuple[Item, Answer]]:
    """Ask for every item, some at a time; an item and its answer come as soon as they are there, in any order.

    Items are taken one by one as requests finish. After a failure nothing more is asked, but the answers that are on
    their way are paid for, so they are awaited and come too. Whoever stops iterating, by an interruption as well,
    cancels what is under way.

    Args:
        ask: Puts one item to the client, an ``openai.AsyncOpenAI``.
        items: What is asked.
        concurrency: Requests in flight.
        patience: Failures in a row that end it; with more than one, an item that fails does not keep the others back.
        client: Passed to ``openai.AsyncOpenAI``: address, key, timeout, retries.

    Raises:
        Exception: What the first failed ``ask`` raised, after all answers have come.
    """
    from anyio.from_thread import start_blocking_portal
    from openai import AsyncOpenAI

    answered: queue.SimpleQueue[tuple[Item, Answer] | None] = queue.SimpleQueue()
    failures: list[Exception] = []
    waiting = iter(items)

    async def work(server: Any, row: list[Exception]) -> None:
        # Between the test and the first await nothing else runs: no item is taken twice.
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
                if len(row) < patience:  # otherwise it has ended, and this answer was on its way
                    row.clear()
                answered.put((item, answer))

    async def run() -> None:
        row: list[Exception] = []
        try:
            async with AsyncOpenAI(**client) as server:
                await asyncio.gather(*(work(server, row) for _ in range(concurrency)))
        finally:
            answered.put(None)

    # The event loop has a thread of its own, so that this also works where one is running, as in a notebook.
    with start_blocking_portal() as portal:
        running = portal.start_task_soon(run)
        while (found := answered.get()) is not None:
            yield found
        running.result()
    if failures:
        raise failures[0]
