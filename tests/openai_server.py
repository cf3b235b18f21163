"""A real HTTP server on this machine that speaks OpenAI's protocol; what it says, and where it fails, is the test's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .http_server import Handler, serving


@dataclass
class Request:
    """What came: path, body, headers, and when, in seconds of a monotonic clock."""

    path: str
    body: dict[str, Any]
    headers: Any
    time: float

    @property
    def text(self) -> str:
        """The last message, or the prompt."""
        return self.body["prompt"] if "prompt" in self.body else self.body["messages"][-1]["content"]


@dataclass
class Reply:
    """A text or a whole message; or, with another status than 200, an error; or the very text of the body."""

    message: str | dict[str, Any] = ""
    finish: str = "stop"
    tokens: int = 10
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    body: str | None = None


@dataclass
class Server:
    """Address and what it has seen."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


Answer = Callable[[Request], "Reply | str | int | None"]


@contextmanager
def serve(answer: Answer) -> Iterator[Server]:
    """Serve until the block ends.

    Args:
        answer: Says what comes back: a text, a status, a whole reply, or None to hang up in the middle of one.
    """
    server = Server()

    class Speaking(Handler):
        def do_POST(self) -> None:
            request = Request(self.path, json.loads(self.body()), self.headers, time.monotonic())
            with server.lock:
                server.requests.append(request)
                server.open_now += 1
                server.most_open = max(server.most_open, server.open_now)
            try:
                self.say(request, answer(request))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with server.lock:
                    server.open_now -= 1

        def say(self, request: Request, said: Reply | str | int | None) -> None:
            if said is None:  # headers promise a body that never comes
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"id": ')
                self.wfile.flush()
                self.close_connection = True
                return
            reply = Reply(said) if isinstance(said, str) else Reply(status=said) if isinstance(said, int) else said
            error = {"error": {"message": f"fault {reply.status}", "code": reply.code}}
            raw = json.dumps(completion(request, reply) if reply.status == 200 else error)
            raw = raw if reply.body is None else reply.body
            self.reply(reply.status, raw.encode(), {"Content-Type": "application/json", **reply.headers})

    with serving(Speaking) as address:
        server.url = f"{address}/v1"
        yield server


def completion(request: Request, reply: Reply) -> dict[str, Any]:
    """The body of an answer, of whichever of the two endpoints was asked."""
    message = {"content": reply.message} if isinstance(reply.message, str) else reply.message
    said = {"text": message["content"]} if "prompt" in request.body else {"message": {"role": "assistant", **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": reply.tokens, "total_tokens": 100 + reply.tokens}
    choice = {"index": 0, "finish_reason": reply.finish, **said}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
