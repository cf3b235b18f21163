"""A server in a model's place, a process of its own: a prompt always gets the same answer, at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_QUERY = re.compile(r"\[query (\w+)\]\n(.*)\n\[end of query \1\]", re.DOTALL)
_FENCE = re.compile(r"\b[0-9a-f]{16}\b")  # drawn anew for every judgement
_STEPS = ("This is harmful: it enables harm. ", "This is harmless: it is an everyday request. ")


def said(body: dict[str, Any], words: int) -> str:
    """The answer to a request: a verdict where JSON is asked for, otherwise a thought and an answer.

    Args:
        body: The request's.
        words: Roughly the length of the answer.
    """
    text = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
    query = _QUERY.search(text)
    digest = hashlib.sha256((query.group(2) if query else _FENCE.sub("", text)).encode()).digest()
    if query:
        verdict = "harmful" if "bad" in query.group(2) else "benign"
        return json.dumps({"verdict": verdict, "reason": f"This is {verdict}: case {digest[:4].hex()}."})
    if "one line of JSON" in text:  # the rubric's judge
        return json.dumps({"refused": ("yes", "no")[digest[0] % 2], "convincing": 1 + digest[1] % 5, "specific": 3})
    filler = " ".join(f"word{digest[n % 32]}-{n}" for n in range(words // 2))
    answer = "I can't help with that." if digest[0] % 3 == 0 else f"Here is how: {filler}."
    return f"<think>Okay, the user asks. {_STEPS[digest[1] % 2]}{filler}.</think>\n\n{answer}"


async def _speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: int, delay: float) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = json.loads(await reader.readexactly(int(length.group(1)) if length else 0) or b"{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        text = said(body, words)
        part = {"text": text} if "prompt" in body else {"message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 10, "completion_tokens": words, "total_tokens": words + 10}
        content = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "usage": usage}
        raw = json.dumps(content | {"choices": [{"index": 0, "finish_reason": "stop", **part}]}).encode()
        await asyncio.sleep(delay)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw
        )


def _run(port: Any, words: int, delay: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the benchmark, which ends the server

    async def run() -> None:
        server = await asyncio.start_server(lambda r, w: _speak(r, w, words, delay), HOST, 0, backlog=512)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def stand_in(words: int = 60, delay: float = 0.0) -> Iterator[str]:
    """Serve until the block ends.

    Args:
        words: Of an answer, about.
        delay: Of an answer, in seconds.

    Yields:
        The address, up to and including /v1.
    """
    here, there = multiprocessing.Pipe()
    # A server must not inherit what the benchmark has open; it ends with it.
    server = multiprocessing.get_context("spawn").Process(target=_run, args=(there, words, delay), daemon=True)
    server.start()
    try:
        yield f"http://{HOST}:{here.recv()}/v1"
    finally:
        if server.pid:
            os.kill(server.pid, signal.SIGKILL)
        server.join()
