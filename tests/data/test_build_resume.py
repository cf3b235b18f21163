"""Builds whose answers come late, or that are killed or left by their server."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.assessors import make_assessor
from axolotl_alttrain.data.build import build
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.errors import AltTrainError

from ..conftest import ROOT
from .conftest import config, config_file, files_of, read
from .server import Call, by_wording, serve

Traces = Callable[[int, int], str]
COMMAND = [sys.executable, "-c", "from axolotl_alttrain.cli import alttrain; alttrain()", "build"]


def remote(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "openai_compatible", "model": "m", "base_url": url, "concurrency": 8} | more


@pytest.mark.promise("determinism", "The same seed and answers make the same data, byte for byte.")
def test_the_order_of_answers_does_not_matter_and_nothing_is_asked_twice(tmp_path: Path, traces: Traces) -> None:
    path, lots = traces(40, 20), random.Random(0)

    def late(call: Call) -> str:
        time.sleep(lots.random() * 0.03)
        return by_wording(call)

    made = []
    for name, concurrency in (("a", 1), ("b", 12)):
        with serve(late) as server:
            again = remote(server.url, concurrency=concurrency)
            found = config(path, harmful=20, benign=10, assessor=again)
            build(found, tmp_path / name)
            assert Counter(server.seen.values()) == {1: 30}
            asked = len(server.calls)
            build(found, tmp_path / name)
            assert len(server.calls) == asked
        made.append(files_of(tmp_path / name)["data.jsonl"])
    assert made[0] == made[1]


@pytest.mark.promise("faults", "A killed build resumes and asks only for what is missing.")
def test_a_killed_build_goes_on_and_asks_only_for_what_is_missing(tmp_path: Path, traces: Traces) -> None:
    path = traces(60, 20)

    def slow(call: Call) -> str:
        time.sleep(0.05)
        return by_wording(call)

    with serve(slow) as server:
        more = {"harmful": 60, "benign": 20, "assessor": remote(server.url, concurrency=4)}
        file = config_file(tmp_path, path, **more)
        killed = subprocess.Popen([*COMMAND, str(file), "--out", str(tmp_path / "out")], cwd=ROOT)
        store = tmp_path / "out" / "assessments.jsonl"
        deadline = time.monotonic() + 60
        while not store.is_file() or store.read_bytes().count(b"\n") < 10:
            assert time.monotonic() < deadline, "nothing was assessed"
            time.sleep(0.02)
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        kept = store.read_bytes().count(b"\n")
        assert 10 <= kept < 80
        assert not (tmp_path / "out" / "data.jsonl").exists()
        time.sleep(0.2)  # requests that were open end on the server
        with store.open("ab") as torn:
            torn.write(b'{"key": "00')  # and what a kill in the middle of a write leaves
        before = len(server.calls)
        build(BuildConfig.model_validate(config(path, **more)), tmp_path / "out")
        assert len(server.calls) - before == 80 - kept
    with serve() as server:
        build(config(path, **more | {"assessor": remote(server.url)}), tmp_path / "whole")
    assert files_of(tmp_path / "out")["data.jsonl"] == files_of(tmp_path / "whole")["data.jsonl"]
    assert len(read(store)) == 80


@pytest.mark.promise("faults", "A build whose server breaks keeps all answers that came.")
def test_a_server_that_breaks_loses_nothing(tmp_path: Path, traces: Traces) -> None:
    def breaks(call: Call) -> Any:
        return by_wording(call) if len(server.calls) <= 5 else (500, {})

    path = traces(9, 3)
    with serve(breaks) as server:
        found = config(path, assessor=remote(server.url, concurrency=1, max_retries=0))
        with pytest.raises(AltTrainError, match="finished assessments are kept"):
            build(found, tmp_path / "out")
        assert len(read(tmp_path / "out" / "assessments.jsonl")) == 5
        server.behave = by_wording
        build(found, tmp_path / "out")
        assert len(server.calls) == 12 + 1


def test_another_server_is_asked_again_and_the_same_is_not(
    tmp_path: Path, traces: Traces, caplog: pytest.LogCaptureFixture
) -> None:
    path = traces(9, 3)
    with serve() as first, serve() as second:

        def run(url: str) -> None:
            build(config(path, assessor=remote(url)), tmp_path / "out")

        run(first.url)
        run(f"{first.url}/")
        run(first.url.replace("http://", "http://user:secret@"))
        assert (len(first.calls), len(second.calls)) == (12, 0)
        run(second.url)
        assert (len(first.calls), len(second.calls)) == (12, 12)
        # Rows as an earlier version kept them, without the server in their keys.
        store = tmp_path / "out" / "assessments.jsonl"
        assessor = make_assessor(config(path, assessor=remote(first.url)))
        queries = [(row["instruction"], row["label"]) for row in read(tmp_path / "out" / "data.jsonl")]
        rows = [
            row | {"key": assessor.former_key(*query)} for row, query in zip(read(store)[:12], queries, strict=True)
        ]
        store.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert caplog.records == []
        run(first.url)
        assert len(first.calls) == 24
    assert [record.getMessage() for record in caplog.records] == [
        f"{store}: assessments of an earlier version are not reused, because their keys do not show which weights or "
        "which server they came from"
    ]
