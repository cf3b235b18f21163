"""Wheel and sdist of a release: their files, and their use in an empty environment outside the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from axolotl_alttrain import __version__
from tests.conftest import ROOT, SEED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("build") is None, reason="no build; it comes with the extra 'dev'"),
]
WHEEL, SDIST = f"axolotl_alttrain-{__version__}-py3-none-any.whl", f"axolotl_alttrain-{__version__}.tar.gz"
# The checkout must be out of reach, and pip must not ask an index.
BARE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
BARE |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(command: list[str | Path], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=BARE, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` builds, from the files that git knows: the sdist, and the wheel from that sdist."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    known = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], ROOT).split("\0")
    for name in filter(None, known):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source], out)
    return out


def environment(folder: Path) -> Path:
    """The Python of an empty environment: the dependencies of this one are in reach, its editable install is not."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], folder).strip()
    # A .pth file adds folders, but does not run the .pth files in them, which is how editable installs are found.
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    (Path(site) / "dependencies.pth").write_text("\n".join(packages) + "\n")
    return python


def test_the_files_of_both(dist: Path) -> None:
    assert sorted(path.name for path in dist.iterdir()) == sorted([WHEEL, SDIST])
    with zipfile.ZipFile(dist / WHEEL) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    with tarfile.open(dist / SDIST) as sdist:
        sources = {name.partition("/")[2] for name in sdist.getnames()}
    assert {name.partition("/")[0] for name in packed} == {"axolotl_alttrain"}
    # Every module and data file of the checkout, by its name in the package.
    folders = ("axolotl_alttrain", "eval", "examples", "prompt_strategies")
    tracked = run(["git", "ls-files", *folders], ROOT).split()
    expected = {name if name.startswith("axolotl_alttrain/") else f"axolotl_alttrain/{name}" for name in tracked}
    assert expected - packed == {"axolotl_alttrain/examples/README.md"}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"} <= sources
    assert not [name for name in sources if name.startswith(("tests", "docs", "benchmarks", "outputs"))]


@pytest.mark.skipif(find_spec("twine") is None, reason="no twine; it comes with the extra 'dev'")
def test_pypi_would_show_the_description(dist: Path) -> None:
    said = run([sys.executable, "-m", "twine", "check", "--strict", dist / WHEEL, dist / SDIST], dist)
    assert len(re.findall("PASSED", said)) == 2


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_it_works_in_an_empty_environment(dist: Path, tmp_path: Path, name: str) -> None:
    python, project = environment(tmp_path / "venv"), tmp_path / "project"
    project.mkdir()
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", dist / name]
    run([sys.executable, "-m", "pip", "--python", python, *install], project)
    where = run([python, "-c", "import axolotl_alttrain as a; print(a.__version__, a.__file__)"], project).split()
    assert where[0] == __version__
    assert Path(where[1]).is_relative_to(tmp_path)
    assert "preview" in run([python, "-m", "axolotl_alttrain.cli", "--help"], project)
    assert "probe-harmful" in run([python, "-m", "axolotl_alttrain.eval.run", "--list"], project)
    # Axolotl finds the commands through the entry point of what is installed.
    group = (
        "from importlib.metadata import entry_points as e; print([p.dist.version for p in e(group='axolotl.plugins')])"
    )
    assert __version__ in run([python, "-c", group], project)
    code = "from axolotl_alttrain.storage.builtin import resolve_dataset as r; print(r('alttrain-seed'))"
    seed = Path(run([python, "-c", code], project).strip())
    assert seed.is_relative_to(tmp_path)
    assert len(seed.read_text(encoding="utf-8").splitlines()) == len(SEED.read_text(encoding="utf-8").splitlines())
