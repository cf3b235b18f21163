"""Since 0.21 Axolotl loads this package's plugin in every run: a recipe without AltTrain must not notice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain.cli.recipe import load_config
from axolotl_alttrain.compat import loads_installed_plugins
from axolotl_alttrain.errors import AltTrainError

# Python runs it at its start: the package stays importable, its entry points are gone.
HIDE = """
import importlib.metadata as metadata
real = metadata.entry_points
def entry_points(**kwargs):
    found = real(**kwargs)
    if not isinstance(found, metadata.EntryPoints):  # of all groups, before Python 3.12
        return found
    return metadata.EntryPoints(point for point in found if not point.value.startswith("axolotl_alttrain"))
metadata.entry_points = entry_points
"""
# What the plugin itself needs in such a run.
LIGHT = {"axolotl_alttrain"} | {f"axolotl_alttrain.{name}" for name in ("plugin", "entries", "errors")}


@pytest.fixture
def foreign(tiny: tuple[Path, Path], tmp_path: Path) -> Path:
    """An ordinary recipe: chat data, full fine-tuning of a tiny model, two steps."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello there."}]
    (tmp_path / "chat.jsonl").write_text((json.dumps({"messages": turns}) + "\n") * 8)
    recipe: dict[str, Any] = {
        "base_model": str(tiny[0]),
        "datasets": [{"path": "chat.jsonl", "type": "chat_template"}],
        "chat_template": "chatml",
        "dataset_prepared_path": "prepared",
        "output_dir": "out",
        "sequence_len": 128,
        "micro_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "max_steps": 2,
        "learning_rate": 1e-3,
        "optimizer": "adamw_torch",
        "lr_scheduler": "constant",
        "bf16": False,
        "seed": 7,
        "dataset_num_proc": 1,
    }
    path = tmp_path / "foreign.yml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


def run(arguments: list[str], recipe: Path, hidden: bool) -> str:
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if hidden:
        (recipe.parent / "hide").mkdir(exist_ok=True)
        (recipe.parent / "hide" / "sitecustomize.py").write_text(HIDE)
        env["PYTHONPATH"] = str(recipe.parent / "hide")
    done = subprocess.run(arguments, cwd=recipe.parent, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def test_its_config_is_the_same(foreign: Path) -> None:
    code = (
        "import sys, json, re\n"
        "from axolotl.cli.config import load_cfg\n"
        f"cfg = load_cfg({foreign.name!r})\n"
        "ours = sorted(name for name in sys.modules if name.startswith('axolotl_alttrain'))\n"
        "print('found', json.dumps([ours, cfg.to_dict()], default=str, sort_keys=True))"
    )
    results = []
    for hidden in (False, True):
        said = run([sys.executable, "-c", code], foreign, hidden)
        (line,) = re.findall(r"^found (.*)$", said, re.MULTILINE)
        results.append(json.loads(line))
    (ours, config), (none, other) = results
    # An editable install has a finder of its own; it is no part of the package.
    assert {name for name in ours if not name.startswith("__editable__")} <= LIGHT
    assert none == []
    assert config == other


@pytest.mark.slow  # two processes train
def test_it_trains_to_the_same_weights(foreign: Path) -> None:
    weights, prepared = [], []
    for hidden in (False, True):
        said = run(["axolotl", "train", foreign.name], foreign, hidden)
        # Axolotl says that it loads each plugin it finds; wide lines are wrapped.
        assert "alttrain" not in re.sub(r"plugin[\w\s]*:\s*axolotl_alttrain\.AltTrainPlugin", "", said).lower()
        weights.append((foreign.parent / "out" / "model.safetensors").read_bytes())
        prepared.append(sorted(path.name for path in (foreign.parent / "prepared").iterdir()))
    assert weights[0] == weights[1]
    assert prepared[0] == prepared[1]


def test_the_type_alone_is_enough_where_plugins_are_found(demo_model: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((Path(__file__).parents[1] / "examples" / "smollm2-135m-cpu.yml").read_text())
    del recipe["plugins"]
    path = tmp_path / "short.yml"
    path.write_text(yaml.safe_dump(recipe))
    if loads_installed_plugins():
        cfg = load_config(path)
        assert cfg.datasets[0].type.startswith("alttrain:")
    else:
        with pytest.raises(AltTrainError, match="the plugin is missing; add 'plugins:"):
            load_config(path)


def test_a_recipe_without_alttrain_data_is_named(foreign: Path) -> None:
    with pytest.raises(AltTrainError, match=r"foreign\.yml: (the plugin is missing|no dataset has 'type: alttrain')"):
        load_config(foreign)
