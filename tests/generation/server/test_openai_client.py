from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from openai import APIStatusError

from axolotl_alttrain.generation.server.openai_client import api_key, ask_all, server_address
from tests.openai_server import Request, serve


async def ask(client: Any, text: str) -> str:
    messages = [{"role": "user", "content": text}]
    answer = await client.chat.completions.create(model="m", messages=messages)
    return str(answer.choices[0].message.content)


def options(url: str, **more: Any) -> dict[str, Any]:
    return {"base_url": url, "api_key": "none", "max_retries": 0, "concurrency": 4, **more}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://user:secret@host:8443/v1?api-key=secret#x", "https://host:8443/v1"),
        ("user:secret@host:8000/v1", "host:8000/v1"),
        (None, "https://api.openai.com/v1"),
    ],
)
def test_an_address_has_no_credentials(given: str | None, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert server_address(given) == shown
    monkeypatch.setenv("OPENAI_BASE_URL", "http://other/v1")  # which the client takes, too
    assert server_address(given) == (shown if given else "http://other/v1")


def test_every_item_is_asked_once_and_taken_as_there_is_room() -> None:
    taken: list[int] = []

    def items() -> Iterator[str]:
        for number in range(40):
            taken.append(number - len(server.requests))
            yield str(number)

    with serve(lambda request: f"said {request.text}") as server:
        found = dict(ask_all(ask, items(), **options(server.url)))
    assert found == {str(number): f"said {number}" for number in range(40)}
    assert len(server.requests) == 40
    assert server.most_open <= 4
    assert max(taken) <= 4


def test_after_a_failure_nothing_more_is_asked_and_what_is_on_its_way_comes() -> None:
    failed = threading.Event()

    def answer(request: Request) -> str | int:
        if request.text == "0":
            threading.Timer(0.3, failed.set).start()
            return 400
        assert failed.wait(10)
        return "late"

    with serve(answer) as server:
        found = []
        with pytest.raises(APIStatusError, match="fault 400"):
            found.extend(ask_all(ask, map(str, range(100)), **options(server.url)))
    assert sorted(found) == [(number, "late") for number in "123"]
    assert len(server.requests) == 4


def test_with_patience_the_others_go_on_and_a_dead_server_ends_it() -> None:
    odd = [str(number) for number in range(1, 40, 2)]
    with serve(lambda request: 500 if int(request.text) % 2 == 0 else "fine") as server:
        found = []
        with pytest.raises(APIStatusError):
            found.extend(ask_all(ask, map(str, range(40)), **options(server.url, concurrency=1, patience=2)))
    assert [item for item, _ in found] == odd
    with serve(lambda request: 500) as server, pytest.raises(APIStatusError):
        list(ask_all(ask, map(str, range(100)), **options(server.url, patience=4)))
    assert 4 <= len(server.requests) <= 8


def test_an_error_of_the_items_comes_after_the_answers() -> None:
    def items() -> Iterator[str]:
        yield "0"
        raise KeyError("row 2")

    with serve(lambda request: "fine") as server:
        found = []
        with pytest.raises(KeyError, match="row 2"):
            found.extend(ask_all(ask, items(), **options(server.url)))
    assert found == [("0", "fine")]


def test_who_stops_iterating_does_not_wait_for_the_server() -> None:
    def answer(request: Request) -> str:
        if request.text != "0":
            time.sleep(5)
        return "fine"

    with serve(answer) as server:
        answers = ask_all(ask, map(str, range(10)), **options(server.url))
        assert next(answers) == ("0", "fine")
        start = time.monotonic()
        answers.close()  # type: ignore[attr-defined]
        assert time.monotonic() - start < 2


def test_a_key_is_wanted_by_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert (api_key("SOME_KEY", None), api_key("SOME_KEY", "http://localhost/v1")) == (None, "none")
    monkeypatch.setenv("SOME_KEY", "k")
    assert (api_key("SOME_KEY", None), api_key("SOME_KEY", "http://localhost/v1")) == ("k", "k")
