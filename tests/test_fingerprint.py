from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain import fingerprint
from axolotl_alttrain.fingerprint import code_digest, data_fingerprint

from .conftest import HARMFUL_ROW


@pytest.fixture
def project(tmp_path: Path, demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's project: a model's folder with its tokenizer, a data file and a recipe."""
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "model"
    model.mkdir()
    for file in demo_model.iterdir():
        if file.name != "model.safetensors":
            shutil.copy(file, model)
    (tmp_path / "data.jsonl").write_text(json.dumps(HARMFUL_ROW) + "\n")
    recipe = {
        "base_model": str(model),
        "plugins": ["axolotl_alttrain.AltTrainPlugin"],
        "datasets": [{"path": "data.jsonl", "type": "alttrain"}],
        "sequence_len": 512,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "learning_rate": 1e-4,
        "bf16": False,
        "output_dir": "out",
        "dataset_prepared_path": "prepared",
        "dataset_num_proc": 1,
    }
    (tmp_path / "recipe.yml").write_text(yaml.safe_dump(recipe))
    return tmp_path


def change_template(project: Path) -> None:
    path = project / "model" / "chat_template.jinja"
    path.write_text(path.read_text().replace("You are a helpful AI assistant", "You are a careful AI assistant"))


def change_data(project: Path) -> None:
    (project / "data.jsonl").write_text(json.dumps(HARMFUL_ROW | {"answer": "No."}) + "\n")


def change_options(project: Path) -> None:
    recipe = yaml.safe_load((project / "recipe.yml").read_text())
    recipe["alttrain"] = {"thought_format": {"open": "<plan>", "close": "</plan>"}}
    (project / "recipe.yml").write_text(yaml.safe_dump(recipe))


def change_understanding(project: Path) -> None:
    recipe = yaml.safe_load((project / "recipe.yml").read_text())
    recipe["alttrain"] = {"understanding": "quoted"}
    (project / "recipe.yml").write_text(yaml.safe_dump(recipe))


def change_probe(project: Path) -> None:
    recipe = yaml.safe_load((project / "recipe.yml").read_text())
    recipe["alttrain"] = {"probe_every": 5, "evaluate": "probe"}
    (project / "recipe.yml").write_text(yaml.safe_dump(recipe))


def change_nothing(project: Path) -> None:
    for path in (project / "model" / "chat_template.jinja", project / "data.jsonl"):
        path.write_text(path.read_text())


@pytest.fixture
def fresh_code() -> Iterator[None]:
    code_digest.cache_clear()
    yield
    code_digest.cache_clear()


def trained_ids(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first row's ids as `axolotl train` would take them: from the prepared data where its key is there."""
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets

    monkeypatch.delenv("AXOLOTL_IS_PREPROCESS", raising=False)
    return load_datasets(cfg=load_cfg(str(project / "recipe.yml"))).train_dataset[0]["input_ids"]


# Two of them among the fast tests, the others beside the slow ones: five seconds each.
_SLOW = [
    pytest.param(change, marks=pytest.mark.slow)
    for change in (change_template, change_options, change_understanding, change_probe)
]


@pytest.mark.parametrize("change", [change_data, change_nothing, *_SLOW])
def test_changes_make_new_tokens(
    change: Callable[[Path], None], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = trained_ids(project, monkeypatch)
    change(project)
    after = trained_ids(project, monkeypatch)
    prepared = [path for path in (project / "prepared").iterdir() if path.is_dir()]
    same = change in (change_nothing, change_probe)
    assert (after == before) is same
    assert len(prepared) == (1 if same else 2)


def test_changed_code_makes_another_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_code: None) -> None:
    before, digest = data_fingerprint({}, {"path": "x"}), code_digest()
    for package, name in (*fingerprint._CODE, *fingerprint._STRATEGY):
        (tmp_path / name).write_bytes(fingerprint.files(package).joinpath(name).read_bytes())
    shutil.copytree(
        str(fingerprint.files("axolotl_alttrain.format.verdict").joinpath("languages")), tmp_path / "languages"
    )
    monkeypatch.setattr(fingerprint, "files", lambda _: tmp_path)
    code_digest.cache_clear()
    assert code_digest() == digest
    (tmp_path / "languages" / "xx.yml").write_text("script: Latin")
    code_digest.cache_clear()
    assert code_digest() != digest
    (tmp_path / "template.py").write_text("# another rendering")
    code_digest.cache_clear()
    assert data_fingerprint({}, {"path": "x"}) != before


def test_changed_code_is_seen_by_the_cache_of_datasets(smollm2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from axolotl_alttrain.prompt_strategies import alttrain
    from datasets.fingerprint import Hasher

    def key() -> str:
        return Hasher.hash(alttrain.load(smollm2, {}).tokenize_prompt)

    before = key()
    assert key() == before
    monkeypatch.setattr(alttrain, "code_digest", lambda: "other")
    assert key() != before


def test_every_module_that_renders_is_in_the_digest() -> None:
    """What template, rows and the strategy import from this package decides about tokens too."""
    import ast

    places = (*fingerprint._CODE, *fingerprint._STRATEGY)
    names = {name for _, name in places}
    outside = {"errors.py", "fingerprint.py", "jsonl.py", "yaml_file.py"}  # messages, this digest itself, reading
    for package, name in places:
        tree = ast.parse(fingerprint.files(package).joinpath(name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("axolotl_alttrain."):
                assert f"{(node.module or '').rpartition('.')[2]}.py" in names | outside


def test_without_network_the_hubs_cache_counts(tmp_path: Path) -> None:
    """In a process of its own, as the hub's settings are read at import: a hub that refuses every connection."""
    import os
    import subprocess
    import sys

    cache = tmp_path / "hub" / "models--some--model"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots" / "abc").mkdir(parents=True)
    config = cache / "snapshots" / "abc" / "tokenizer_config.json"
    code = "from axolotl_alttrain.fingerprint import data_fingerprint as f; print(f({'base_model': 'some/model'}, {}))"

    def digest() -> str:
        env = os.environ | {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_ENDPOINT": "http://127.0.0.1:9"}
        env["HF_HUB_OFFLINE"] = "0"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
        return done.stdout.strip()

    config.write_text("{}")
    before = digest()
    assert digest() == before
    config.write_text('{"chat_template": "new"}')
    assert digest() != before
