"""``use_ray: true`` on a local Ray cluster with two CPU workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.model_server import free_port
from tests.conftest import ROOT

from .runs import BINARIES, FEWER_PROMPTS, OPT_IN, expected_rows, greedy_tokens, recorded, run, steps_said, write_recipe

pytestmark = OPT_IN
RECIPE = ROOT / "examples" / "smollm2-135m-cpu-ray.yml"
# On a busy machine: workers as urgent as other processes, and time for them to start.
PATIENT = {"RAY_worker_niceness": "0", "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "900"}
RAY = ("use_ray", "ray_run_name", "ray_num_workers", "resources_per_worker")


def ray_keys() -> dict[str, Any]:
    """The keys of the shipped CPU recipe that make it run on Ray."""
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    return {key: recipe[key] for key in RAY}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a Ray cluster with two cores, which ends with the test."""
    pytest.importorskip("ray", reason="ray is not installed; it comes with axolotl[ray]")
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the names of its sockets must stay short
    command = [BINARIES / "ray", "start", "--head", "--block", "--port", str(port), "--num-cpus", "2"]
    command += ["--node-ip-address", "127.0.0.1", "--temp-dir", folder, "--include-dashboard", "false"]
    command += ["--object-store-memory", str(100 << 20), "--disable-usage-stats"]
    env = os.environ | {"PYTHONPATH": f"{FEWER_PROMPTS}{os.pathsep}{ROOT}", "ALTTRAIN_RECORD": str(tmp_path)}
    env |= {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    env |= PATIENT
    with (tmp_path / "ray.log").open("w") as log:
        started = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180
        while "runtime started" not in (tmp_path / "ray.log").read_text():
            assert started.poll() is None, (tmp_path / "ray.log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "ray.log").read_text()
            time.sleep(0.5)
        yield f"127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(timeout=300)  # it ends its own processes first
        shutil.rmtree(folder, ignore_errors=True)


def test_two_workers_train_save_and_evaluate(cluster: str, tiny: tuple[Path, Path], tmp_path: Path) -> None:
    # 45 rows are 23 batches of 2: the second worker's last batch is filled with earlier rows
    recipe = write_recipe(tiny[0], tmp_path, rows=45, alttrain={"evaluate": "probe"}, **ray_keys())
    done = run(["axolotl", "train", recipe.name, "--launcher", "python"], tmp_path, RAY_ADDRESS=cluster, **PATIENT)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    trained = recorded(tmp_path, said)
    first, second = trained.ends
    assert (first["world"], first["kind"], second["world"]) == (2, "MULTI_CPU", 2)
    assert {first["steps"], second["steps"]} == steps_said(recipe, 2) == {12}
    assert trained.rows.keys() == expected_rows(recipe).keys()
    assert trained.rows.total() == 48
    # saved beside the recipe, not in Ray's folders, and evaluated once
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    assert (tmp_path / "out" / "eval" / "summary.json").is_file()
    assert len((tmp_path / "evaluations.jsonl").read_text().splitlines()) == 1
    tokens = greedy_tokens(tiny[0], tmp_path / "out")
    assert tokens == greedy_tokens(tiny[0], tmp_path / "out")
    assert tokens != greedy_tokens(tiny[0], None)


def test_preprocess_of_a_ray_recipe(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    """Axolotl 0.19 to 0.21 divide by a batch size that only Ray's workers set."""
    pytest.importorskip("ray", reason="ray is not installed; it comes with axolotl[ray]")
    recipe = write_recipe(tiny[0], tmp_path, **ray_keys())
    done = run(["axolotl", "preprocess", recipe.name], tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / "prepared").glob("*/*.arrow"))
