"""A server that dies, hangs, breaks off or has no room: what was answered is kept, and the numbers are the same."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.backends import api
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.generation.server import openai_client
from benchmarks.stand_in import said
from tests.openai_server import Reply, Request, serve

from .conftest import FLAGS

HALF = '{"id": "c", "object": "chat.completion", "choices": [{"index": 0, "mess'


def healthy(request: Request) -> Reply:
    return Reply(said(request.body, 40), tokens=40)


def hang(request: Request) -> Reply:
    time.sleep(1.5)  # longer than the test's time limit
    return healthy(request)


FAULTS: dict[str, Callable[[Request], Any]] = {
    "dies": lambda request: None,  # in the middle of its answer
    "hangs": hang,
    "breaks": lambda request: Reply(status=500),
    "half a body": lambda request: Reply(body=HALF),
}


def results(out: Path) -> tuple[bytes, list[str]]:
    """The scored rows, and the samples without the server's address in their keys."""
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    return (out / "scored.jsonl").read_bytes(), sorted(json.dumps(row | {"key": ""}) for row in rows)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_answered_is_kept(
    fault: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "RETRIES", 0)
    monkeypatch.setattr(api, "TIMEOUT", 0.5)
    broken = True

    def answer(request: Request) -> Any:
        return FAULTS[fault](request) if broken and len(server.requests) > 5 else healthy(request)

    with serve(answer) as server:
        command = [*FLAGS.split(), "--base-url", server.url, "--out", str(tmp_path / "run")]
        assert main(command) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(f"eval.run: {server.url}: ")
        assert said.endswith("run the same command again to retry them")
        kept = (tmp_path / "run" / "samples.jsonl").read_bytes()
        assert kept.count(b"\n") == 5
        broken = False
        before = len(server.requests)
        assert main(command) == 0
        assert len(server.requests) - before == 8 - 5
    assert (tmp_path / "run" / "samples.jsonl").read_bytes().startswith(kept)
    assert results(tmp_path / "run") == results(finished)


def test_a_minute_without_room_is_waited_for(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRIES", 0)
    monkeypatch.setattr(openai_client, "RATE_LIMIT_PAUSE", 0.05)
    refused: Counter[int] = Counter()

    def answer(request: Request) -> Any:
        if request.time - server.requests[0].time < 0.6:  # a minute, a hundred times faster
            refused[429] += 1
            return Reply(status=429)
        return healthy(request)

    with serve(answer) as server:
        assert main([*FLAGS.split(), "--base-url", server.url, "--out", str(tmp_path / "run")]) == 0
    assert refused[429] >= 2
    assert results(tmp_path / "run") == results(finished)


@pytest.mark.parametrize(("code", "seconds"), [("insufficient_quota", 300.0), (None, 0.2)])
def test_it_is_not_waited_for_in_vain(
    code: str | None, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(api, "RETRIES", 0)
    monkeypatch.setattr(openai_client, "RATE_LIMIT_PAUSE", 0.05)
    monkeypatch.setattr(openai_client, "RATE_LIMIT_SECONDS", seconds)
    with serve(lambda request: Reply(status=429, code=code)) as server:
        assert main([*FLAGS.split(), "--base-url", server.url, "--out", str(tmp_path / "run")]) == 1
    assert "8 of 8 requests have no answer, the first failed with RateLimitError" in capsys.readouterr().err
