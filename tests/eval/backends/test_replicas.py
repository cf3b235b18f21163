"""Two replicas behind one address, vLLM's router in front of them; one replica is killed in the middle."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main

from benchmarks.model_server import HOST, Server, free_port, running, vllm_environment, vllm_serve
from tests.conftest import ROOT
from tests.vllm_environment import vllm_python

from .conftest import completions

pytestmark = pytest.mark.slow
PROMPTS = 24
WHAT = ["--sets", "probe-harmful", "--limit", str(PROMPTS), "--max-new-tokens", "16", "--api-concurrency", "8"]


def tiny_replica(model: Path, port: int, folder: Path) -> list[str | Path]:
    log = folder / f"answered-{port}.jsonl"
    return [sys.executable, "-m", "tests.eval.backends.replica", model, str(port), log]


def vllm_replica(model: Path, port: int, folder: Path) -> list[str | Path]:
    arguments = [model, "--served-model-name", "m", "--dtype", "float32", "--max-model-len", "1024"]
    return vllm_serve(vllm_python(), [*arguments, "--generation-config", "vllm"], port)


@contextmanager
def routed(model: Path, folder: Path, command: object) -> Iterator[tuple[str, list[Server]]]:
    """The address of the router, and its two replicas."""
    assert callable(command)
    python, port = vllm_python(), free_port()
    env = vllm_environment(python) | {"VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        replicas, urls = [], []
        for number in range(2):
            own = free_port()
            urls.append(f"http://{HOST}:{own}")
            log = folder / f"replica-{number}.log"
            replicas.append(stack.enter_context(running(command(model, own, folder), log, own, env)))
        front = [python.with_name("vllm-router"), "--worker-urls", *urls, "--policy", "round_robin"]
        front += ["--host", HOST, "--port", str(port)]
        front += ["--prometheus-port", str(free_port()), "--health-check-interval-secs", "1"]
        stack.enter_context(running(front, folder / "router.log", port, env))
        yield f"http://{HOST}:{port}/v1", replicas


def kill_in_the_middle(replica: Server, samples: Path) -> threading.Thread:
    """Kill a replica once a third of the answers are written."""

    def watch() -> None:
        while not samples.exists() or len(samples.read_text().splitlines()) < PROMPTS // 3:
            time.sleep(0.02)
        replica.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", ["tiny", "vllm"])
def test_a_killed_replica_loses_nothing(kind: str, small: tuple[Path, Path], tmp_path: Path) -> None:
    command = tiny_replica if kind == "tiny" else vllm_replica
    alone = ["--model", str(small[0]), "--dtype", "float32", *WHAT[:-2], "--out", str(tmp_path / "hf")]
    assert main(alone) == 0
    with routed(small[0], tmp_path, command) as (url, replicas):
        api = ["--backend", "api", "--base-url", url, "--model", "m", "--tokenizer", str(small[0]), *WHAT]
        killed = kill_in_the_middle(replicas[0], tmp_path / "api" / "samples.jsonl")
        assert main([*api, "--out", str(tmp_path / "api")]) == 0
        killed.join(timeout=10)
        assert replicas[0].process.poll() is not None
    lines = (tmp_path / "api" / "samples.jsonl").read_text().splitlines()
    assert len(lines) == PROMPTS  # each answered once
    assert completions(tmp_path / "api") == completions(tmp_path / "hf")  # as by one process
    first, second = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("api", "hf"))
    assert first["runs"]["base"]["metrics"] == second["runs"]["base"]["metrics"]
    if kind == "tiny":
        logs = list(tmp_path.glob("answered-*.jsonl"))
        answered = Counter(line for log in logs for line in log.read_text().splitlines())
        assert len(logs) == 2  # both worked
        assert set(answered.values()) == {1}  # nothing that was answered is asked again
        assert len(answered) == PROMPTS
