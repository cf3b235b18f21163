"""The API backend against a real HTTP server that answers with the hf backend on the tiny model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from eval.backends.api import APIBackend
from eval.backends.base import Request as Wanted
from eval.backends.base import Sampling
from eval.backends.hf import HFBackend
from eval.run import main
from tests.openai_server import Reply, Request, serve


@pytest.fixture(scope="module")
def server(tiny: tuple[Path, Path]) -> Iterator[Any]:
    model = HFBackend(str(tiny[0]), str(tiny[1]), dtype="float32")
    lock = threading.Lock()
    seen: list[dict[str, Any]] = []

    def answer(request: Request) -> Reply:
        body = request.body
        seen.append({"path": request.path, **body})
        if len(seen) == 2:  # servers stumble; the client has to ask again
            return Reply(status=503)
        text = body["prompt"] if "prompt" in body else model.render(body["messages"])
        with lock, model.adapter(body["model"] == "tuned-name"):
            out = model.generate([text], body["max_tokens"])[0]
        return Reply({"content": out.text, "reasoning_content": "I think."}, out.finish, out.tokens)

    with serve(answer) as http:
        yield http.url, seen


def completions(out: Path) -> dict[tuple[str, str], tuple[str, str, int]]:
    rows = map(json.loads, (out / "samples.jsonl").read_text().splitlines())
    return {(s["run"], s["id"]): (s["completion"], s["finish"], s["tokens"]) for s in rows}


FLAGS = ["--sets", "probe-harmful", "--limit", "3", "--max-new-tokens", "12", "--attacks", "none", "prefilled-thought"]


def test_same_samples_as_the_hf_backend(tiny: tuple[Path, Path], server: Any, tmp_path: Path) -> None:
    url, seen = server
    hf = ["--model", str(tiny[0]), "--adapter", str(tiny[1]), "--dtype", "float32", "--out", str(tmp_path / "hf")]
    api = ["--backend", "api", "--base-url", url, "--model", "base-name", "--adapter", "tuned-name"]
    assert main([*hf, *FLAGS]) == 0
    assert main([*api, "--tokenizer", str(tiny[0]), *FLAGS, "--out", str(tmp_path / "api")]) == 0
    assert completions(tmp_path / "api") == completions(tmp_path / "hf")
    assert {request["path"] for request in seen} == {"/v1/completions"}
    assert len(seen) == 13  # twelve, and one asked again
    assert seen[0]["add_special_tokens"] is False


def test_chat_endpoint_joins_thought_and_answer(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, _ = server
    api = ["--backend", "api", "--base-url", url, "--model", "base-name", *FLAGS, "--out", str(tmp_path)]
    assert main(api) == 3  # a thought cannot be begun where the server renders
    assert (
        "give --tokenizer"
        in json.loads((tmp_path / "summary.json").read_text())["missing"]["probe-harmful+prefilled-thought"]
    )
    for text, _, _ in completions(tmp_path).values():
        assert text.startswith("<think>\nI think.\n</think>\n\n")
    rows = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert {row["thought"] for row in rows} == {"I think."}


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert main(["--backend", "api", "--out", str(tmp_path)]) == 1
    assert "--model: found nothing" in capsys.readouterr().err
    assert main(["--backend", "api", "--model", "m", "--out", str(tmp_path)]) == 1
    assert "--base-url: found nothing" in capsys.readouterr().err
    assert main(["--backend", "vllm", "--model", "m", "--out", str(tmp_path)]) == 1
    assert "run 'pip install vllm'" in capsys.readouterr().err


def test_a_refused_request_keeps_no_other_back_and_a_dead_server_is_left() -> None:
    wanted = [Wanted("", ({"role": "user", "content": str(number)},)) for number in range(20)]
    got: dict[int, str] = {}

    def complete(url: str) -> None:
        backend = APIBackend("m", None, url, concurrency=2)
        backend.complete("base", wanted, Sampling(4), lambda index, out: got.update({index: out.text}))

    with serve(lambda request: 400 if int(request.text) < 5 else "fine") as http:
        with pytest.raises(AltTrainError, match=r"5 of 20 requests have no answer, the first .* 400"):
            complete(http.url)
        assert len(http.requests) == 20
    assert got == dict.fromkeys(range(5, 20), "fine")
    with serve(lambda request: 401) as http:
        with pytest.raises(AltTrainError, match="20 of 20 requests have no answer"):
            complete(http.url)
        assert len(http.requests) <= 4
