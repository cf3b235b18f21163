"""Traces of a real model on this machine and of a real server; interrupted, resumed, and taken by the builder."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.data.traces.queries import Query
from axolotl_alttrain.data.traces.samplers import HFSampler, OpenAISampler
from axolotl_alttrain.data.traces.trace_sampling import Job, Sampled, Settings, jobs_for, sample_traces
from axolotl_alttrain.errors import AltTrainError
from tests.openai_server import Reply, Request, serve

QUERIES = [
    Query(str(number), text) for number, text in enumerate(["Hi", "Name three colours.", "What is 2 + 3?", "Why?"])
]
REPLIES: dict[str, dict[str, Any]] = {
    "field": {"content": "5.", "reasoning_content": "The user adds 2 and 3. That makes 5."},
    "other field": {"content": "5.", "reasoning": "The user adds 2 and 3. That makes 5."},
    "tags": {"content": "<think>\nThe user adds 2 and 3. That makes 5.\n</think>\n\n5."},
    "closing tag": {"content": "The user adds 2 and 3. That makes 5.\n</think>\n\n5."},
    "cut thought": {"content": "<think>\nThe user", "finish": "length"},
    "cut answer": {"content": "The", "reasoning_content": "The user adds.", "finish": "length"},
    "plain": {"content": "5."},
    "silent": {"content": "", "reasoning_content": "The user adds 2 and 3."},
}


@contextmanager
def server(status: Callable[[str, int], int] = lambda text, number: 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server whose reply depends on the query; ``status`` gets the query and how often it has come."""
    bodies: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()

    def answer(request: Request) -> Reply:
        bodies.append(request.body)
        seen[request.text] += 1
        message = dict(REPLIES.get(request.text, REPLIES["tags"]))
        finish = message.pop("finish", "stop")
        return Reply(message, finish, status=status(request.text, seen[request.text]))

    with serve(answer) as http:
        yield http.url, bodies


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_thought_is_found_wherever_the_server_puts_it(tmp_path: Path) -> None:
    queries = [Query(name, name, "math", "en") for name in REPLIES]
    with server() as (url, bodies):
        sampler = OpenAISampler("org/m", url)
        sampler.settings = Settings(sampler.identity, 0.6, 0.95, 99, 7)
        states = sample_traces(sampler, queries, 1, sampler.settings, tmp_path / "t.jsonl", "m")
    assert states == {"usable": 4, "truncated": 2, "no_thought": 1, "no_answer": 1}
    expected = {"instruction": "", "thought": "The user adds 2 and 3. That makes 5.", "answer": "5.", "label": "benign",
                "category": "math", "source": "m", "language": "en"}  # fmt: skip
    usable = [name for name in REPLIES if name in ("field", "other field", "tags", "closing tag")]
    assert lines(tmp_path / "t.jsonl") == [expected | {"id": name, "instruction": name} for name in usable]
    kept = {row["id"]: row["state"] for row in lines(tmp_path / "t.samples.jsonl")}
    assert kept["cut thought"] == "truncated"
    assert len(kept) == len(REPLIES)
    sent = {name: bodies[0][name] for name in ("model", "temperature", "top_p", "max_tokens", "seed")}
    assert sent == {"model": "org/m", "temperature": 0.6, "top_p": 0.95, "max_tokens": 99, "seed": 7}


def test_faults_are_retried_and_a_stopped_run_asks_only_for_the_rest(tmp_path: Path) -> None:
    queries = [Query(str(number), f"query {number}") for number in range(12)]
    with server(lambda text, number: 503 if text == "query 3" and number == 1 else 200) as (url, bodies):
        sampler = OpenAISampler("m", url, concurrency=4)
        settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 99, 7)
        assert sample_traces(sampler, queries[:6], 2, settings, tmp_path / "t.jsonl", "m")["usable"] == 12
        assert len(bodies) == 13
        with (tmp_path / "t.samples.jsonl").open("a") as file:
            file.write('{"key": "half')  # as kill -9 leaves it
        assert sample_traces(sampler, queries, 2, settings, tmp_path / "t.jsonl", "m")["usable"] == 24
        assert len(bodies) == 13 + 12
    assert [row["id"] for row in lines(tmp_path / "t.jsonl")][:4] == ["0-0", "0-1", "1-0", "1-1"]
    assert len({row["key"] for row in lines(tmp_path / "t.samples.jsonl")}) == 24


def test_a_server_that_stays_broken_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    queries = [Query(str(number), f"query {number}") for number in range(3)]
    with server(lambda text, number: 500 if text == "query 2" else 200) as (url, _):
        sampler = OpenAISampler("m", url, concurrency=1, max_retries=0)
        settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 99, 7)
        with pytest.raises(AltTrainError, match="finished samples are kept") as caught:
            sample_traces(sampler, queries, 1, settings, tmp_path / "t.jsonl", "m")
    assert "\n" not in str(caught.value)
    assert len(lines(tmp_path / "t.samples.jsonl")) == 2
    assert not (tmp_path / "t.jsonl").exists()


def test_an_answer_without_a_choice_is_one_line(tmp_path: Path) -> None:
    for body in ("<html>hi</html>", '{"error": {"message": "hi"}, "choices": null}', '{"choices": []}', "{"):
        with serve(lambda request, body=body: Reply(body=body)) as http:
            sampler = OpenAISampler("m", http.url, concurrency=1, max_retries=0)
            settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 99, 7)
            with pytest.raises(AltTrainError, match=f"^{http.url} returned .*, which is not a completion; give"):
                sample_traces(sampler, QUERIES, 1, settings, tmp_path / "t.jsonl", "m")


def test_an_interrupted_model_ends_with_the_same_traces(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    sampler = HFSampler(str(tiny[0]), batch_size=3)
    settings = sampler.settings = Settings(sampler.identity, 1.0, 0.95, 12, 7)

    class Interrupted:
        identity, former_identity = sampler.identity, sampler.former_identity

        def sample(self, jobs: Sequence[Job], done: Callable[[str], bool]) -> Iterator[tuple[Job, Sampled]]:
            for number, one in enumerate(sampler.sample(jobs, done)):
                if number == 4:  # in the middle of a batch
                    raise KeyboardInterrupt
                yield one

    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    sample_traces(sampler, QUERIES, 2, settings, whole, "tiny")
    with pytest.raises(KeyboardInterrupt):
        sample_traces(Interrupted(), QUERIES, 2, settings, stopped, "tiny")
    assert len(lines(tmp_path / "stopped.samples.jsonl")) == 4
    sample_traces(sampler, QUERIES, 2, settings, stopped, "tiny")

    def texts(name: str) -> dict[str, tuple[str, str]]:
        return {row["key"]: (row["thought"], row["answer"]) for row in lines(tmp_path / f"{name}.samples.jsonl")}

    assert texts("stopped") == texts("whole")
    assert len(set(texts("whole").values())) > 4  # drawn, not the same again and again


def former_run(store: Path, sampler: Any, settings: Settings) -> None:
    """Leave a samples file as a version wrote it that named models by path or name alone."""
    jobs = jobs_for(QUERIES, 1, replace(settings, model=sampler.former_identity))
    rows = [
        {"key": job.key, "id": job.query.id, "number": 0, "state": "usable", "thought": "Old.", "answer": "Old.",
         "finished": True}
        for job in jobs
    ]  # fmt: skip
    store.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_retrained_folder_is_asked_again(
    tiny: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, out, store = tmp_path / "model", tmp_path / "t.jsonl", tmp_path / "t.samples.jsonl"
    shutil.copytree(tiny[0], folder)
    former = "samples of an earlier version are not reused, because their keys do not show which weights"

    def kept() -> int:
        sampler = HFSampler(str(folder), batch_size=4)
        settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 4, 7)
        if not store.exists():
            former_run(store, sampler, settings)
        caplog.clear()
        sample_traces(sampler, QUERIES, 1, settings, out, "tiny")
        return len(lines(store))

    assert kept() == 4 + 4
    assert [record.getMessage() for record in caplog.records if former in record.getMessage()] == [
        f"{store}: 4 {former} or which server they came from"
    ]
    assert kept() == 4 + 4
    assert caplog.records == []
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert kept() == 4 + 4 + 4


def test_another_server_is_asked_again_and_credentials_are_no_part_of_it(tmp_path: Path) -> None:
    out, store = tmp_path / "t.jsonl", tmp_path / "t.samples.jsonl"

    def kept(url: str) -> int:
        sampler = OpenAISampler("m", url)
        settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 99, 7)
        if not store.exists():
            former_run(store, sampler, settings)
        sample_traces(sampler, QUERIES, 1, settings, out, "m")
        return len(lines(store))

    with server() as (first, _), server() as (second, _):
        assert kept(first) == 4 + 4
        assert kept(first) == kept(f"{first}/") == kept(first.replace("http://", "http://user:secret@")) == 4 + 4
        assert kept(second) == 4 + 4 + 4
    assert "secret" not in store.read_text()


def test_greedy_answers_are_those_of_generate(tiny: tuple[Path, Path]) -> None:
    import torch

    sampler = HFSampler(str(tiny[0]), batch_size=4)
    settings = sampler.settings = Settings(sampler.identity, 0.0, 1.0, 10, 7)
    found = {job.query.id: one for job, one in sampler.sample(jobs_for(QUERIES, 1, settings), lambda key: False)}
    for query in QUERIES:
        prompt = sampler.chat.prompt([{"role": "user", "content": query.text}])
        model, tokenizer = sampler.loaded.model, sampler.loaded.tokenizer
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            out = model.generate(**ids, max_new_tokens=10, do_sample=False, pad_token_id=0)
        text = tokenizer.decode(out[0, ids["input_ids"].shape[1] :])
        assert (found[query.id].answer, found[query.id].finished) == (text.strip(), False)


def test_the_builder_takes_the_traces(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("tags\nclosing tag\nplain\n")
    with server() as (url, _):
        arguments = ["traces", "--backend", "openai", "--base-url", url, "--model", "m"]
        arguments += ["--queries", str(tmp_path / "q.txt"), "--out", str(tmp_path / "t.jsonl")]
        result = CliRunner().invoke(alttrain, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert [line.split()[-2] for line in result.output.splitlines() if "usable" in line] == ["2"]
    config = {"name": "own", "sources": [{"preset": "traces", "path": str(tmp_path / "t.jsonl")}], "harmful": 0,
              "benign": "all", "assessor": {"kind": "offline"}, "near_duplicates": None, "overlap": False}  # fmt: skip
    (tmp_path / "b.yml").write_text(yaml.safe_dump(config))
    built = CliRunner().invoke(
        alttrain, ["build", str(tmp_path / "b.yml"), "--out", str(tmp_path / "data")], catch_exceptions=False
    )
    assert built.exit_code == 0, built.output
    rows = lines(tmp_path / "data" / "data.jsonl")
    assert {row["problem_understanding"] for row in rows} == {"The user adds 2 and 3."}
    assert {(row["conditional_reasoning"], row["answer"], row["label"]) for row in rows} == {
        ("That makes 5.", "5.", "benign")
    }


@pytest.mark.parametrize(
    ("reply", "remedy"), [("cut thought", "raise --max-new-tokens"), ("plain", "use a model that writes a thought and")]
)
def test_traces_of_which_none_is_usable_are_a_mistake(reply: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(f"{reply}\n")
    with server() as (url, _):
        arguments = ["traces", "--backend", "openai", "--model", "m", "--base-url", url, "--queries"]
        arguments += [str(tmp_path / "q.txt"), "--out", str(tmp_path / "t.jsonl")]
        result = CliRunner().invoke(alttrain, arguments)
    assert result.exit_code == 1
    assert f"none of the 1 samples is usable, so {tmp_path / 't.jsonl'} is empty; {remedy}" in result.output


def test_mistakes_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    base = ["traces", "--queries", "alttrain-seed", "--out", str(tmp_path / "t.jsonl"), "--model"]
    for arguments, message in (
        (
            [*base, "m", "--backend", "openai"],
            "Error: there is no API key; set the environment variable OPENAI_API_KEY",
        ),
        ([*base, str(tmp_path / "nothing")], f"Error: --model {tmp_path / 'nothing'}: there is no such folder"),
    ):
        result = CliRunner().invoke(alttrain, arguments)
        assert result.exit_code == 1
        assert result.output.startswith(message)
