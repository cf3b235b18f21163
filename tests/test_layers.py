from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

SIBLINGS = ("eval", "examples", "prompt_strategies")


def as_installed(folder: Path) -> Path:
    """The package with the checkout's other folders inside it, by links."""
    package = folder / "axolotl_alttrain"
    package.mkdir()
    for path in (*(ROOT / "axolotl_alttrain").iterdir(), *(ROOT / name for name in SIBLINGS)):
        (package / path.name).symlink_to(path)
    return folder


def test_layers_are_kept(tmp_path: Path) -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=as_installed(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def without_an_install(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in a copy of the checkout, its own editable install put out of reach."""
    checkout = tmp_path / "checkout"
    for name in ("axolotl_alttrain", *SIBLINGS):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    # -S skips the site folders' .pth files, through which an editable install finds its checkout.
    paths = os.pathsep.join(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, "-S", *arguments], cwd=checkout, env=env, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
def test_an_evaluation_from_a_checkout_without_an_install_ends_with_its_manifest(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    flags = ["--model", str(tiny[0]), "--adapter", str(tiny[1]), "--dtype", "float32", "--limit", "2"]
    done = without_an_install(
        tmp_path, "-m", "eval.run", *flags, "--max-new-tokens", "8", "--out", str(tmp_path / "out")
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert list(manifest["runs"]) == ["base", "tuned"]
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_checkout_works_without_an_install(tmp_path: Path) -> None:
    code = (
        "from axolotl_alttrain.eval.results.rules import rule_versions;"
        "from axolotl_alttrain.storage.builtin import resolve_dataset;"
        "import axolotl_alttrain.prompt_strategies as strategies;"
        "print(rule_versions([], []), resolve_dataset('alttrain-seed'), *strategies.__path__)"
    )
    done = without_an_install(tmp_path, "-c", code)
    checkout = (tmp_path / "checkout").resolve()
    seed = checkout / "examples" / "data" / "alttrain-seed.jsonl"
    assert (done.stdout, done.stderr) == (f"{{'thought structure': 3}} {seed} {checkout / 'prompt_strategies'}\n", "")


def test_started_from_a_checkout_no_module_is_loaded_twice(tmp_path: Path, tiny: tuple[Path, Path]) -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv[1:] = sys.argv[2:]\n"
        "try:\n"
        "    runpy.run_module('eval.run', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as error:\n"
        "    print('exit', error.code)\n"
        "print(*sorted(name for name in sys.modules if name == 'eval' or name.startswith('eval.')))\n"
    )
    flags = ["--model", str(tiny[0]), "--limit", "1", "--max-new-tokens", "2", "--out", str(tmp_path / "out")]
    done = without_an_install(tmp_path, "-c", code, "--", *flags)
    assert done.stdout.splitlines()[-2:] == ["exit 0", "eval"], done.stderr
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_every_room_is_in_the_wheel() -> None:
    """A folder of modules that pyproject.toml does not list works from the checkout alone."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    rooms = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("axolotl_alttrain", "eval", "prompt_strategies")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert {room if room.startswith("axolotl_alttrain") else f"axolotl_alttrain.{room}" for room in rooms} <= set(
        listed
    )
