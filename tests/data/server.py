"""A server that assesses: it judges as its queries are worded, with faults on request."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests import openai_server
from tests.openai_server import Reply, Request

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
    """What the server has seen."""

    http: openai_server.Server
    behave: Behave
    calls: list[Call] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def most_open(self) -> int:
        return self.http.most_open

    def times(self) -> list[float]:
        return [request.time for request in self.http.requests]


@contextmanager
def serve(behave: Behave = by_wording) -> Iterator[Server]:
    """Serve; a behaviour returns the reply's text, or (status, headers) with the error's ``code`` among them, or None
    to hang up in the middle."""

    def answer(request: Request) -> Reply | str | None:
        found = _FENCED.search(request.body["messages"][1]["content"])
        query = found.group(2) if found else ""
        with http.lock:
            server.seen[query] += 1
            call = Call(query, server.seen[query], request.body, request.headers)
            server.calls.append(call)
        said = server.behave(call)
        if said is None or isinstance(said, str):
            return said
        status, headers = said
        return Reply(status=status, code=headers.pop("code", None), headers=headers)

    with openai_server.serve(answer) as http:
        server = Server(http, behave)
        yield server
