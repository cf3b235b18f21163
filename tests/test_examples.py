"""Recipes pass Axolotl's own validation for the card their header names, and its preprocessing, wherever they lie."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain.cli.recipe import load_config
from axolotl_alttrain.fit.architecture import shipped_config
from axolotl_alttrain.fit.gpus import find_gpu, needed_gpus

from .conftest import ROOT, SEED

CPU = {"bf16": False, "fp8": False, "tf32": False, "n_gpu": 0, "n_node": 1, "compute_capability": ""}
AUTHORS = {"lora_r": 16, "lora_alpha": 16, "lora_dropout": 0, "num_epochs": 15, "learning_rate": 1e-5,
           "lr_scheduler": "cosine", "warmup_steps": 5, "adam_beta2": 0.95, "weight_decay": 1e-4, "seed": 1995,
           "lora_target_linear": True}  # fmt: skip


def is_recipe(path: Path) -> bool:
    return "base_model" in yaml.safe_load(path.read_text(encoding="utf-8"))


RECIPES = [path for path in sorted((ROOT / "examples").rglob("*.yml")) if is_recipe(path)]
GPU_RECIPES = [path for path in RECIPES if "cpu" not in path.stem]


def header(path: Path) -> list[str]:
    """The comment at a recipe's top."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]


def card(path: Path) -> tuple[Any, int]:
    """The card that the first line names, and how many: ``2 x A6000``, ``RTX 3090``."""
    number, name = re.findall(r"(?:(\d) x )?(?:RTX )?(A6000|3090)", header(path)[0])[0]
    return find_gpu(name), int(number or 1)


def validated(path: Path) -> Any:
    """The recipe as Axolotl completes it on its own card; on the CPU as it completes it here."""
    if "cpu" not in path.stem:
        gpu, gpus = card(path)
        return load_config(path, gpu=gpu, gpus=gpus)
    from axolotl.cli.config import prepare_plugins
    from axolotl.utils.config import normalize_cfg_datasets, normalize_config, validate_config
    from axolotl.utils.dict import DictDefault

    cfg = DictDefault(yaml.safe_load(path.read_text(encoding="utf-8")))
    prepare_plugins(cfg)
    cfg = validate_config(cfg, capabilities=CPU, env_capabilities={"torch_version": "2.13.0"})
    normalize_config(cfg)
    normalize_cfg_datasets(cfg)
    return cfg


def unknown_or_deprecated(raw: dict[str, Any], model: Any) -> list[str]:
    """Keys that a pydantic model of Axolotl's does not have, or has marked as deprecated."""
    from axolotl.utils.schemas.deprecated import DeprecatedParameters

    fields = model.model_fields
    old = set(DeprecatedParameters.model_fields) | {name for name, field in fields.items() if field.deprecated}
    return [name for name in raw if name not in fields or name in old]


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipe_is_valid(path: Path, demo_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    from axolotl.integrations.config import merge_input_args
    from axolotl.utils.schemas.datasets import SFTDataset
    from axolotl.utils.schemas.fsdp import FSDPConfig

    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    with caplog.at_level(logging.WARNING):
        cfg = validated(path)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("axolotl")]
    assert not [text for text in said if "deprecated" in text]
    assert unknown_or_deprecated(raw, merge_input_args()[1]) == []
    assert unknown_or_deprecated(raw.get("fsdp_config", {}), FSDPConfig) == []
    assert [name for entry in raw["datasets"] for name in entry if name not in SFTDataset.model_fields] == []
    assert cfg.plugins[0] == "axolotl_alttrain.AltTrainPlugin"
    assert cfg.datasets[0].type.startswith("alttrain:")
    assert cfg.datasets[0].path == str(SEED)
    if "mixed" in path.stem:
        assert cfg.datasets[1].type.startswith("alttrain.reasoning:")
        assert cfg.datasets[1].path == str(SEED.with_name("alttrain-reasoning.jsonl"))


# One of them among the fast tests, the others beside the slow ones: four seconds each.
_FAST_ONE = "alttrain-8b"
_EACH = [pytest.param(p, marks=[] if p.stem == _FAST_ONE else pytest.mark.slow, id=p.stem) for p in GPU_RECIPES]


@pytest.mark.parametrize("path", _EACH)
def test_a_recipe_alone_in_another_folder_is_preprocessed(
    path: Path, demo_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Axolotl's own loading of the data, with the backbone's architecture and a tokenizer that is here."""
    from axolotl.common.datasets import load_datasets

    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    backbone = tmp_path / "backbone"
    shutil.copytree(demo_model, backbone, ignore=shutil.ignore_patterns("*.safetensors"))
    shipped = shipped_config(raw["base_model"])
    assert shipped is not None, "its architecture is not in the package: fit cannot work offline"
    shutil.copy(shipped / "config.json", backbone)
    project = tmp_path / "project"
    project.mkdir()
    text = path.read_text(encoding="utf-8").replace(raw["base_model"], str(backbone))
    (project / path.name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(project)
    gpu, gpus = card(path)
    cfg = load_config(Path(path.name), gpu=gpu, gpus=gpus)
    cfg.dataset_num_proc = 1
    cfg.batch_size = cfg.batch_size or 1  # under Ray a worker sets it
    rows = load_datasets(cfg=cfg).train_dataset
    assert len(rows) == 3148 + (80 if "mixed" in path.stem else 0)
    assert {"input_ids", "labels", "position_ids"} <= set(rows.column_names)
    first = rows[0]
    trained = [token for token, label in zip(first["input_ids"], first["labels"], strict=True) if label != -100]
    assert 0 < len(trained) < len(first["input_ids"])
    assert trained[-1] == 2  # the end of turn


def test_a_config_that_ray_sends_to_a_worker_is_valid_there(demo_model: Path) -> None:
    """The driver validates, a worker gets plain values and validates again, as Axolotl's ``ray_train_func`` does."""
    from axolotl.cli.config import prepare_plugins
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault

    path = next(path for path in RECIPES if "ray" in path.stem)
    gpu, _ = card(path)
    sent = DictDefault(validated(path).to_dict())
    kind = sent.datasets[0].type
    prepare_plugins(sent)
    cfg = validate_config(sent, capabilities=gpu.capabilities(), env_capabilities={"torch_version": "2.13.0"})
    assert (cfg.datasets[0].type, cfg.datasets[0].path) == (kind, str(SEED))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_header_says_how_to_use_it(path: Path) -> None:
    lines = header(path)
    for word in ("Download", "Run", "Override", "Inspect", "Evaluate", "Serve"):
        assert any(line.startswith(f"# {word} ") for line in lines), word
    command = f"axolotl train examples/{path.name}"
    assert any(command in line for line in lines)
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    output = recipe["output_dir"].removeprefix("./")
    export = f"axolotl alttrain export {output} --to FOLDER"
    serve = next(line for line in lines if line.startswith("# Serve ")).removeprefix("# Serve ").strip()
    if recipe.get("load_in_4bit"):  # a plain merge, and a LoRA request on the unquantised base, are other weights
        assert serve == f"{export}   (a plain merge gives other weights)"
    else:
        assert serve == f"the adapter as it is, or: {export}"
    adapters = re.findall(r"--adapter (\S+)", "\n".join(lines))
    assert adapters == [output] * len(adapters)


@pytest.mark.parametrize("path", GPU_RECIPES, ids=lambda p: p.stem)
def test_every_decision_has_its_reason(path: Path) -> None:
    for key in (
        "(?:adapter|load_in_4bit)",
        "sequence_len",
        "sample_packing",
        "optimizer",
        "gradient_checkpointing",
        "micro_batch_size",
    ):
        assert re.search(rf"^{key}: .*# \S", path.read_text(encoding="utf-8"), re.MULTILINE), key


@pytest.mark.parametrize("path", GPU_RECIPES, ids=lambda p: p.stem)
def test_the_authors_hyperparameters_and_batch(path: Path) -> None:
    cfg = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {name: cfg[name] for name in AUTHORS} == AUTHORS
    gpus = card(path)[1]
    assert gpus == needed_gpus(validated(path))
    rows = cfg["sample_packing_bin_size"] * cfg["micro_batch_size"] * cfg["gradient_accumulation_steps"] * gpus
    assert rows == (16 if "1.5B" in cfg["base_model"] else 8)
