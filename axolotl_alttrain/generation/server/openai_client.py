"""Many concurrent requests to a server that speaks OpenAI's protocol.

The official client retries 408, 409, 429 and 5xx answers, timeouts and broken connections, with growing pauses and as
``Retry-After`` says (https://github.com/openai/openai-python, "Retries"). Requests that get 429 after that are sent
again for five minutes.
"""

from __future__ import annotations

import asyncio
import base64
import os
import queue
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from axolotl_alttrain.errors import AltTrainError, keep_secret, shown
from axolotl_alttrain.generation.server.openai_parameters import adapted, learn

# Statuses that concern one request, not the server: filtered, longer than the context, malformed.
REFUSED = (400, 413, 422)
MESSAGE_CHARS = 200  # of a server's message that are passed on; some return whole pages
RATE_LIMIT_SECONDS = 300.0  # for so long, a request that a server has no room for (429) is sent again
RATE_LIMIT_PAUSE = 5.0
CONNECT_SECONDS = 60.0  # an answer may take an hour, a connection may not
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

    Raises:
        AltTrainError: It has characters that no request can carry.
    """
    key = os.environ.get(variable, "").strip()
    keep_secret(key)
    if not key.isascii() or not key.isprintable():
        raise AltTrainError(f"the key in {variable} contains characters that a key cannot have; set the variable again")
    return key or ("none" if base_url else None)


def server_address(base_url: str | None = None) -> str:
    """A server's address as it enters keys, reports and messages: without user, password, query and closing slash.

    Args:
        base_url: As the user gives it. Without one the openai client takes ``OPENAI_BASE_URL``, or OpenAI's own.
    """
    url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
    parts = urlsplit(url if "://" in url else f"//{url}")
    credentials, _, host = parts.netloc.rpartition("@")
    for secret in (credentials, parts.password, *(value for _, value in parse_qsl(parts.query))):
        keep_secret(secret)
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/") if parts.scheme else f"{host}{parts.path}".rstrip("/")


def without_credentials(base_url: str | None) -> dict[str, Any]:
    """The arguments of ``AsyncOpenAI`` for an address: user and password go into a header, as addresses are logged."""
    parts = urlsplit(base_url or os.environ.get("OPENAI_BASE_URL") or "")
    credentials, _, host = parts.netloc.rpartition("@")
    if not credentials:
        return {"base_url": base_url}
    basic = base64.b64encode(unquote(credentials).encode()).decode()
    return {
        "base_url": urlunsplit(parts._replace(netloc=host)),
        "default_headers": {"Authorization": f"Basic {basic}"},
    }


async def completion(client: Any, *, chat: bool = True, **body: Any) -> Any:
    """Request one completion. Parameters that the model refuses are left out or renamed, and remembered.

    Args:
        client: An ``openai.AsyncOpenAI``.
        chat: Use ``/chat/completions``, otherwise ``/completions``.
        body: The request's fields.

    Returns:
        The server's answer; :func:`axolotl_alttrain.generation.server.openai_reply.reply` reads its choices.

    Raises:
        AltTrainError: Status 200 without a choice: a proxy's page, or an error in the body.
    """
    from openai import BadRequestError, RateLimitError

    endpoint, part = (client.chat.completions, "message") if chat else (client.completions, "text")
    server = str(client.base_url)
    give_up = time.monotonic() + RATE_LIMIT_SECONDS
    while True:
        sent = adapted(server, body)
        try:
            answer: Any = await endpoint.create(**sent)
            break
        except BadRequestError as error:
            if not learn(server, sent, error):
                raise
        except RateLimitError as error:  # after the client's own retries, which end within half a minute
            if error.code == "insufficient_quota" or time.monotonic() > give_up:
                raise
            await asyncio.sleep(RATE_LIMIT_PAUSE)
        except ValueError as error:  # JSON by its header alone
            answer = getattr(error, "doc", error)
            break
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices or getattr(choices[0], part, None) is None:
        came = answer.to_dict() if hasattr(answer, "to_dict") else answer
        raise AltTrainError(
            f"{server_address(server)} returned {shown(came, 160)}, which is not a completion; give the address of an "
            "OpenAI-compatible server, up to and including /v1"
        )
    return answer


def ask_all(
    ask: Callable[[Any, Item], Awaitable[Answer]],
    items: Iterable[Item],
    *,
    concurrency: int,
    patience: int = 1,
    base_url: str | None = None,
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
        base_url: The server's address; OpenAI's own by default.
        client: Passed to ``openai.AsyncOpenAI``: key, timeout, retries.

    Raises:
        Exception: What the first failed ``ask`` raised, after all answers have arrived.
    """
    from anyio.from_thread import start_blocking_portal
    from httpx import Timeout
    from openai import AsyncOpenAI

    asking = _Asking(ask, iter(items), patience)
    if "timeout" in client:
        client["timeout"] = Timeout(client["timeout"], connect=min(client["timeout"], CONNECT_SECONDS))

    async def run() -> None:
        try:
            async with AsyncOpenAI(**without_credentials(base_url), **client) as server:
                await asyncio.gather(*(asking.work(server) for _ in range(concurrency)))
        finally:
            asking.answered.put(None)

    # The event loop runs in its own thread, so this also works inside a running loop, as in a notebook.
    with start_blocking_portal() as portal:
        running = portal.start_task_soon(run)
        while (found := asking.answered.get()) is not None:
            yield found
        running.result()
    if asking.failures:
        raise asking.failures[0]


class _Asking(Generic[Item, Answer]):
    """The items that are left, the answers that have arrived (None after the last), and the failures."""

    def __init__(self, ask: Callable[[Any, Item], Awaitable[Answer]], waiting: Iterator[Item], patience: int) -> None:
        self._ask, self._waiting, self._patience = ask, waiting, patience
        self._consecutive = 0
        self.answered: queue.SimpleQueue[tuple[Item, Answer] | None] = queue.SimpleQueue()
        self.failures: list[Exception] = []

    async def work(self, server: Any) -> None:
        """Ask one item after another until none is left or too many have failed in a row."""
        # Nothing else runs between the test and the first await, so no item is taken twice.
        while self._consecutive < self._patience:
            try:
                item = next(self._waiting)
                answer = await self._ask(server, item)
            except StopIteration:
                return
            except Exception as error:
                self.failures.append(error)
                self._consecutive += 1
            else:
                if self._consecutive < self._patience:  # otherwise asking has ended, and this answer was in flight
                    self._consecutive = 0
                self.answered.put((item, answer))
