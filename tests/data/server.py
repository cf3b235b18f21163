"""A real HTTP server that speaks OpenAI's chat completions as far as an assessor needs it, with faults on request."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behave = Callable[["Call"], Any]
_FENCED = re.compile(r"\[query (\w+)\]\n(.*)\n\[end of query \1\]", re.DOTALL)


def verdict(word: str, reason: str = "it says so") -> str:
    return json.dumps({"verdict": word, "reason": f"This is {word}: {reason}."})


def by_wording(call: Call) -> str:
    """Judge as the query says: queries of these tests name their kind."""
    return verdict("harmful" if "bad" in call.query else "benign", f"asked about {call.query[:30]!r}")


@dataclass
class Call:
    """One request: its query, how often this query has come, and the whole body."""

    query: str
    number: int
    body: dict[str, Any]
    headers: Any


@dataclass
class Server:
    """What the server has seen.

    A behaviour returns the reply's text, or (status, headers), or None to hang up in the middle. The header ``code``
    is sent as the error's code.
    """

    behave: Behave
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    open_now: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def times(self) -> list[float]:
        return [call.body["_time"] for call in self.calls]


@contextmanager
def serve(behave: Behave = by_wording) -> Iterator[Server]:
    server = Server(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body["_time"] = time.monotonic()
            found = _FENCED.search(body["messages"][1]["content"])
            query = found.group(2) if found else ""
            with server.lock:
                server.seen[query] += 1
                call = Call(query, server.seen[query], body, self.headers)
                server.calls.append(call)
                server.open_now += 1
                server.most_open = max(server.most_open, server.open_now)
            try:
                self.answer(server.behave(call))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with server.lock:
                    server.open_now -= 1

        def answer(self, reply: Any) -> None:
            if reply is None:  # headers promise a body that never comes
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"id": ')
                self.wfile.flush()
                self.close_connection = True
                return
            status, headers, text = (200, {}, reply) if isinstance(reply, str) else (*reply, "")
            message = {"role": "assistant", "content": text}
            content = {
                "id": "c",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
            error = {"message": f"fault {status}", "code": headers.pop("code", None)}
            raw = json.dumps(content if status == 200 else {"error": error}).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    http = Quiet(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
