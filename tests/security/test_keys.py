"""Canary keys in the environment and in addresses: no file, log or message of a command may hold them."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from axolotl_alttrain.eval.run import main
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.errors import AltTrainError, first_line, shown
from axolotl_alttrain.generation.server.openai_client import api_key, server_address
from tests.data.conftest import settings, trace_rows
from tests.data.server import verdict
from tests.openai_server import Reply, Request, serve

KEY, PASSWORD = "sk-canary-0123456789", "canary-password"
CANARIES = ("canary-0123456789", PASSWORD)
SAID = f"Incorrect API key provided: {KEY}, sent as Bearer {KEY} by user:{PASSWORD}"


def answering(request: Request) -> str:
    messages = request.body["messages"]
    text = " ".join(str(message["content"]) for message in messages)
    if "[query" in text:
        return verdict("harmful" if "bad" in messages[-1]["content"] else "benign")
    if "judge" in text.lower() or "classif" in text.lower():
        return '{"verdict": "refusal", "reason": "It declines."}'
    return "The user asks. That is benign.</think>\n\nIt is 5."


def error(status: int, body: object) -> Callable[[Request], Reply]:
    return lambda request: Reply(status=status, body=body if isinstance(body, str) else json.dumps(body))


# Servers that say the key that they got, each in another place.
SERVERS = {
    "answers": answering,
    "401": error(401, {"error": {"message": SAID, "code": "invalid_api_key"}}),
    "400": error(400, {"error": {"message": SAID, "code": None}}),
    "422": error(422, {"detail": SAID}),
    "413 as a page": error(413, f"<html>{SAID}</html>"),
    "200 without a choice": error(200, {"error": SAID}),
    "200 and no JSON": error(200, SAID),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and a key in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return tmp_path


@pytest.fixture
def leaks(place: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[str], None]:
    """Fails if a canary is in a file below the folder, in what was printed or logged, or in the text that is given."""
    caplog.set_level(logging.INFO)  # where HTTP clients write the addresses that they ask

    def check(printed: str) -> None:
        texts = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        texts |= {"output": "".join(capfd.readouterr()).encode(), "printed": printed.encode()}
        texts |= {"log": caplog.text.encode()}
        assert len(texts) > 3
        assert "HTTP Request: POST http://127.0.0.1" in caplog.text
        found = [(name, canary) for name, text in texts.items() for canary in CANARIES if canary.encode() in text]
        assert found == []

    return check


def evaluation(url: str, folder: Path) -> str:
    backend = ["--backend", "api", "--base-url", url, "--model", "m"]
    judges = ["--judges", "refusal", "rubric", "--judge-model", "j", "--judge-url", url]
    rest = ["--sets", "probe-harmful", "probe-benign", "--limit", "2", "--out", str(folder / "run")]
    status = main([*backend, *judges, *rest])
    if status == 0:
        main(["compare", str(folder / "run"), "--out", str(folder / "compare")])
    return ""


def judging(url: str, folder: Path) -> str:
    """A run whose model answers, and whose judges alone are asked the server."""
    with serve(answering) as server:
        model = ["--backend", "api", "--base-url", server.url, "--model", "m", "--sets", "probe-harmful"]
        judges = ["--judges", "rubric", "xstest", "--judge-model", "j", "--judge-url", url]
        main([*model, *judges, "--limit", "2", "--out", str(folder / "run")])
    return ""


def building(url: str, folder: Path) -> str:
    rows = folder / "traces.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in trace_rows(2, 2)))
    assessor = {"kind": "openai_compatible", "model": "m", "base_url": url, "max_retries": 0}
    config = settings(str(rows), assessor=assessor, harmful=2, benign=2)
    source = folder / "build.yml"
    source.write_text(yaml.safe_dump(config))
    done = CliRunner().invoke(alttrain, ["build", str(source), "--out", str(folder / "data")])
    source.unlink()  # the user's own, with the address in it
    return done.output


def sampling(url: str, folder: Path) -> str:
    (folder / "queries.txt").write_text("What is 2 + 3?\nWhy?\n")
    flags = ["--backend", "openai", "--model", "m", "--base-url", url, "--out", str(folder / "traces.jsonl")]
    return CliRunner().invoke(alttrain, ["traces", "--queries", str(folder / "queries.txt"), *flags]).output


@pytest.mark.promise("security", "A key is in no file, log or message, not even where a server repeats it.")
@pytest.mark.parametrize("behaviour", SERVERS)
@pytest.mark.parametrize("command", [evaluation, judging, building, sampling])
def test_no_key_leaves_the_environment(
    command: Callable[[str, Path], str], behaviour: str, place: Path, leaks: Callable[[str], None]
) -> None:
    with serve(SERVERS[behaviour]) as server:
        printed = command(server.url.replace("http://", f"http://user:{PASSWORD}@"), place)
        sent = {str(request.headers["Authorization"]) for request in server.requests}
    assert sent == {f"Basic {base64.b64encode(f'user:{PASSWORD}'.encode()).decode()}"}
    leaks(printed)


@pytest.mark.parametrize("key", ["sk-canary-ü0123456789", "sk-canary\n0123456789"])
def test_a_key_that_no_request_can_carry(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(AltTrainError) as caught:
        api_key("MY_KEY", None)
    assert str(caught.value) == "the key in MY_KEY contains characters that a key cannot have; set the variable again"
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    assert api_key("MY_KEY", None) == KEY


def test_what_is_secret_is_hidden_before_a_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    api_key("MY_KEY", None)
    assert server_address("https://user:pass-canary-word@host/v1/?code=query-canary") == "https://host/v1"
    assert first_line(ValueError(f"no {KEY}"), 12) == "no [secret]"
    assert shown(f"no {KEY}", 12) == "'no [secret…"
    assert str(AltTrainError("user:pass-canary-word, pass-canary-word, query-canary")) == "[secret], [secret], [secret]"
