"""The Slurm scripts of ``examples/cluster/`` run for real, on one machine that stands in for the cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from benchmarks.model_server import free_port

from .conftest import ROOT
from .vllm_environment import vllm_python

# Slurm's `srun` starts the command once for each task and ends with them.
SRUN = """#!/bin/bash
trap 'kill $(jobs -p) 2> /dev/null' TERM EXIT
for task in $(seq 0 $((SLURM_NTASKS - 1))); do SLURM_PROCID=$task SLURM_LOCALID=$task "$@" & done
wait
"""
# What the script asks of `vllm serve MODEL ... --port N`: an answer at /v1/models, here with the port as the model.
VLLM = f"""#!{sys.executable}
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
port = int(sys.argv[sys.argv.index("--port") + 1])
open("served", "a").write(" ".join(sys.argv[1:4]) + chr(10))
class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"object": "list", "data": [{{"id": "served", "object": "model"}}]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer(("127.0.0.1", port), Server).serve_forever()
"""
STUBS = {
    "srun": SRUN,
    "vllm": VLLM,
    # In two writes: a script that closes the pipe after the first line would die of SIGPIPE.
    "scontrol": "#!/bin/bash\necho node-a\nsleep 0.2\necho node-b\n",
    "hostname": "#!/bin/bash\necho 127.0.0.1\n",
    "axolotl": '#!/bin/bash\necho "axolotl $*"\n',
}


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job with two tasks."""
    (tmp_path / "bin").mkdir()
    for name, text in STUBS.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_JOB_NUM_NODES": "2", "SLURM_GPUS_ON_NODE": "4"}
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | job | {"SLURM_JOB_NODELIST": "node-[a-b]", "PATH": path}


def submit(script: str, arguments: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "examples" / "cluster" / script), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_training_tokenizes_once_and_starts_torchrun_on_every_node(slurm: dict[str, str], tmp_path: Path) -> None:
    done = submit("train.sbatch", ["recipe.yml"], tmp_path, slurm)
    assert done.returncode == 0, done.stderr
    train = (
        "axolotl train recipe.yml --dataset-prepared-path prepared --launcher torchrun -- --nnodes 2 "
        "--nproc_per_node 4 --rdzv_backend c10d --rdzv_endpoint node-a:29500 --rdzv_id 7"
    )
    prepare = "axolotl preprocess recipe.yml --dataset-prepared-path prepared"
    assert done.stdout.splitlines() == [prepare, train, train]


@pytest.mark.slow  # starts servers and the router
@pytest.mark.parametrize("code", [0, 3])
def test_a_command_asks_the_replicas_and_ends_them(code: int, slurm: dict[str, str], tmp_path: Path) -> None:
    router = vllm_python().with_name("vllm-router")
    (tmp_path / "bin" / "vllm-router").symlink_to(router)
    port, first = free_port(), free_port()
    env = slurm | {"ROUTER_PORT": str(port), "REPLICA_PORT": str(first), "VLLM_ARGS": "--max-model-len 64"}
    ask = f'curl --silent --fail "http://localhost:{port}/v1/models" && exit {code}'
    done = submit("replicas.sbatch", ["org/model", "bash", "-c", ask], tmp_path, env)
    assert (done.returncode, '"served"' in done.stdout) == (code, True), done.stderr
    assert (tmp_path / "served").read_text() == "serve org/model --served-model-name\n" * 2
    assert list(tmp_path.glob("replicas-*")) == []
    for closed in (port, first, first + 1):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{closed}/v1/models", timeout=2)


def test_a_missing_argument_is_named(slurm: dict[str, str], tmp_path: Path) -> None:
    for script, usage in (
        ("train.sbatch", "train.sbatch RECIPE"),
        ("replicas.sbatch", "replicas.sbatch MODEL COMMAND"),
    ):
        done = submit(script, [], tmp_path, slurm)
        assert done.returncode != 0
        assert usage in done.stderr
