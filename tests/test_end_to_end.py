"""The commands of the README on the real thing: preprocess, train, evaluate; and an installed wheel elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from axolotl_alttrain.generation.demo_model import HUB_MODEL

from .conftest import ROOT

pytestmark = pytest.mark.slow
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"
WHOLE = (ROOT / "examples" / "data" / "alttrain-seed.jsonl").read_text(encoding="utf-8").partition("\n")[0]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def command(arguments: list[str], cwd: Path, **env: str) -> str:
    binaries = str(Path(sys.executable).parent)
    done = subprocess.run(
        arguments,
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", **env},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return ANSI.sub("", done.stdout + done.stderr)


def test_preprocess_shows_loss_on_the_completion_and_nowhere_else(demo_model: Path, tmp_path: Path) -> None:
    shutil.copy(RECIPE, tmp_path / "mine.yml")
    shown = command(["axolotl", "preprocess", "mine.yml", "--debug"], tmp_path)
    assert list((tmp_path / "last_run_prepared").iterdir())
    tokens = [(text, int(label), int(id_)) for text, label, id_ in re.findall(r"(\S*)\((-?\d+), (\d+)\)", shown)]
    labels = [label for _, label, _ in tokens]
    ids = [id_ for *_, id_ in tokens]
    row = ids.index(1)  # the first <|im_start|> of the first printed row
    end = labels.index(2, row)  # the first end-of-turn token with loss
    assistant = max(i for i in range(row, end) if ids[i : i + 4] == [1, 520, 9531, 198]) + 4
    assert all(label == -100 for label in labels[row:assistant])
    assert labels[assistant : end + 1] == ids[assistant : end + 1]
    assert ids[assistant : assistant + 3] == [44, 17400, 46]  # <think>


def test_an_installed_wheel_serves_a_recipe_copied_elsewhere(demo_model: Path, tmp_path: Path) -> None:
    source, site, project = (tmp_path / name for name in ("source", "site", "project"))
    # Every hidden folder too: the environments are gigabytes, whatever their names.
    ignored = shutil.ignore_patterns(".*", "outputs", "last_run_prepared", "*.egg-info", "build")
    shutil.copytree(ROOT, source, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    command([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(source)], tmp_path)
    (wheel,) = tmp_path.glob("axolotl_alttrain-*.whl")
    # Into a folder of its own; the checkout's editable install is out of reach behind it.
    command([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], tmp_path)
    assert [p.name for p in site.iterdir() if not p.name.endswith(".dist-info")] == ["axolotl_alttrain"]
    project.mkdir()
    shutil.copy(RECIPE, project)
    where = command(
        [sys.executable, "-c", "import axolotl_alttrain as a; print(a.__file__)"], project, PYTHONPATH=str(site)
    )
    assert where.strip() == str(site / "axolotl_alttrain" / "__init__.py")
    shown = command([sys.executable, "-m", "axolotl.cli.preprocess", RECIPE.name], project, PYTHONPATH=str(site))
    assert str(site / "axolotl_alttrain" / "examples" / "data" / "alttrain-seed.jsonl") in shown
    assert list((project / "last_run_prepared").glob("*/*.arrow"))
    command([sys.executable, "-m", "axolotl_alttrain.eval.run", "--help"], project, PYTHONPATH=str(site))
    known = "from axolotl_alttrain.fit.architecture import shipped_config as s; print(s('Qwen/Qwen3-8B'))"
    where = command([sys.executable, "-c", known], project, PYTHONPATH=str(site))
    assert where.strip() == str(site / "axolotl_alttrain" / "fit" / "architectures" / "Qwen--Qwen3-8B")


def test_train_then_evaluate_the_adapter(demo_model: Path, tmp_path: Path) -> None:
    command(["axolotl", "train", str(RECIPE), "--max-steps", "2", "--output-dir", str(tmp_path / "out")], tmp_path)
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    card = (tmp_path / "out" / "README.md").read_text()
    assert (f"\nbase_model: {HUB_MODEL}\n" in card, str(demo_model) in card, str(ROOT) in card) == (True, False, False)
    command(
        [sys.executable, "-m", "eval.run", "--adapter", str(tmp_path / "out"), "--limit", "2",
         "--max-new-tokens", "24", "--out", str(tmp_path / "eval")],
        ROOT,
    )  # fmt: skip
    summary = json.loads((tmp_path / "eval" / "summary.json").read_text())
    assert summary["model"] == str(demo_model)
    assert set(summary["runs"]) == {"base", "tuned"}


@pytest.mark.parametrize(
    ("line", "changes", "said"),
    [
        ('{"instruction": "Hi", "response": "no thought"}', "", "bad.jsonl, row 1: field 'response' has "),
        ('{"instruction": "Hi", ', "", "datasets: bad.jsonl, row 1 is not valid JSON ("),
        ("", "", "datasets: bad.jsonl has no rows; add at least one"),
        (
            WHOLE,
            "\nmin_sample_len: 9999\n",
            "bad.jsonl: sequence_len {length} and min_sample_len 9999 leave 0 of",
        ),
    ],
    ids=["no thought", "not JSON", "no rows", "too short"],
)
def test_a_bad_row_ends_the_command_with_one_line(
    demo_model: Path, tmp_path: Path, line: str, changes: str, said: str
) -> None:
    (tmp_path / "bad.jsonl").write_text(line + "\n")
    recipe = RECIPE.read_text().replace("path: alttrain-seed", "path: bad.jsonl")
    (tmp_path / "bad.yml").write_text(recipe + changes)
    done = subprocess.run(
        [sys.executable, "-m", "axolotl.cli.preprocess", "bad.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = [line for line in done.stderr.splitlines() if line.strip()][-1]
    assert last.startswith(f"axolotl-alttrain: {said.format(length=yaml.safe_load(recipe)['sequence_len'])}")
    assert "Traceback" not in done.stderr
