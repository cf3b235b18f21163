from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.train_gpu.__main__ import RECIPES, RESULTS, chosen, tiny_config
from benchmarks.train_gpu.blank_model import randomize, write_blank_checkpoint
from benchmarks.train_gpu.results import add, markdown, measured_before
from benchmarks.train_gpu.setups import SETUPS, config_for, write_full_rows
from benchmarks.train_gpu.trainings import Training, train_in_turn
from tests.conftest import ROOT


def test_a_blank_checkpoint_loads_as_any_other_and_takes_no_space(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    config = tiny_config()
    write_blank_checkpoint(config, tmp_path)
    file = tmp_path / "model.safetensors"
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16)
    weights = sum(p.numel() for p in model.parameters())
    assert 2 * weights < file.stat().st_size < 2 * weights + 10_000
    assert file.stat().st_blocks * 512 < 100_000
    assert not any(p.any() for p in model.model.layers.parameters())
    randomize(model)
    assert model.lm_head.weight.float().std().item() == pytest.approx(0.02, rel=0.02)
    assert torch.equal(model.model.norm.weight, torch.ones_like(model.model.norm.weight))


def test_packed_weights_are_random_codes_of_a_usual_size(tmp_path: Path) -> None:
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    write_blank_checkpoint(tiny_config(), tmp_path)
    for double in (True, False):
        quantization = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=double
        )
        model = AutoModelForCausalLM.from_pretrained(tmp_path, quantization_config=quantization, dtype=torch.float32)
        randomize(model)
        weight = model.model.layers[0].mlp.up_proj.weight
        values = dequantize_4bit(weight.data, weight.quant_state).float()
        assert 0.01 < values.std().item() < 0.04
        assert values.unique().numel() == 16


def test_the_authors_setup_differs_from_the_recipe_in_speed_only() -> None:
    recipe = yaml.safe_load((ROOT / "examples" / "alttrain-8b.yml").read_text(encoding="utf-8"))
    ours, theirs = (config_for(setup, recipe, Path("/m/model"), 9, False) for setup in ("recipe", "authors"))
    assert (theirs["micro_batch_size"], theirs["sample_packing"]) == (8, False)
    same = ("lora_r", "lora_alpha", "learning_rate", "optimizer", "seed", "datasets", "sequence_len", "load_in_4bit")
    assert [ours[key] for key in same] == [theirs[key] for key in same]
    assert ours["lora_mlp_kernel"]
    assert not theirs["lora_mlp_kernel"]
    assert not [key for key in theirs if "liger" in key]


def test_full_rows_almost_fill_a_pass(demo_model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    file = tmp_path / "full.jsonl"
    write_full_rows(file, demo_model, tokens=1024, rows=3)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["seed-0001", "seed-0002", "seed-0003"]
    tokenizer = AutoTokenizer.from_pretrained(demo_model)
    for row in rows:
        texts = (row[name] for name in ("instruction", "problem_understanding", "harmfulness_assessment",
                                        "conditional_reasoning", "answer"))  # fmt: skip
        assert 750 < sum(len(tokenizer(text)["input_ids"]) for text in texts) < 1024


def test_full_rows_are_the_recipe_on_other_data() -> None:
    recipe = yaml.safe_load((ROOT / "examples" / "alttrain-8b.yml").read_text(encoding="utf-8"))
    seed, full = (config_for(setup, recipe, Path("/m/model"), 9, False) for setup in ("recipe", "recipe, full rows"))
    assert full["datasets"] == [{"path": "/m/full.jsonl", "type": "alttrain"}]
    assert {key for key in full if full[key] != seed[key]} == {"datasets", "dataset_prepared_path"}


@pytest.mark.parametrize(
    ("argument", "setups"),
    [
        ("alttrain-8b", list(SETUPS)),
        ("alttrain-8b=recipe", ["recipe"]),
        ("alttrain-8b=authors;recipe, full rows", ["authors", "recipe, full rows"]),
    ],
)
def test_a_recipe_may_name_its_setups(argument: str, setups: list[str]) -> None:
    assert chosen(argument) == ("alttrain-8b", setups)


@pytest.mark.parametrize("argument", ["alttrain-9b", "alttrain-8b=fast"])
def test_an_unknown_recipe_or_setup_is_named(argument: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{argument} is no recipe or set-up; recipes: alttrain-1.5b"):
        chosen(argument)


def test_runs_on_the_same_card_are_joined(tmp_path: Path) -> None:
    now = {"gpu": "H", "versions": {"torch": "2"}, "steps": 9, "recipes": []}
    file = tmp_path / "train_gpu.json"
    assert measured_before(file, now) == []
    before = [{"recipe": "a", "setups": {"recipe": {"n": 1}}}]
    file.write_text(json.dumps({**now, "recipes": before}), encoding="utf-8")
    assert measured_before(file, now) == before
    for other in ({"gpu": "A"}, {"versions": {"torch": "3"}}, {"steps": 8}):
        assert measured_before(file, now | other) == []
    add(before, {"recipe": "a", "setups": {"authors": {"n": 2}, "recipe": {"n": 3}}})
    add(before, {"recipe": "b", "setups": {}})
    assert [(one["recipe"], list(one["setups"].items())) for one in before] == [
        ("a", [("authors", {"n": 2}), ("recipe", {"n": 3})]),
        ("b", []),
    ]


def test_a_training_that_ends_early_says_its_last_error(tmp_path: Path) -> None:
    (failed,) = train_in_turn([Training("a", "recipe", {"base_model": "nowhere"}, tmp_path, warmup=0)])
    assert list(failed) == ["failed"]
    assert "datasets" in failed["failed"]


@pytest.mark.slow
def test_a_waiting_training_ends_with_the_benchmark(demo_model: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((ROOT / "examples" / "alttrain-8b.yml").read_text(encoding="utf-8"))
    model = tmp_path / "model"
    model.mkdir()
    write_blank_checkpoint(tiny_config(), model)
    for file in (*demo_model.glob("token*"), *demo_model.glob("chat_template*")):
        (model / file.name).write_bytes(file.read_bytes())
    config = tmp_path / "recipe.yml"
    config.write_text(yaml.safe_dump(config_for("recipe", recipe, model, 2, dry=True)), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.train_gpu.worker", str(config), "--out", str(tmp_path / "out.json")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "the benchmark that started this training has ended"
    assert float((tmp_path / "out.ready").read_text()) == 0.0
    assert not (tmp_path / "out.json").exists()


def test_without_a_gpu_the_results_say_so() -> None:
    text = (RESULTS / "train_gpu.md").read_text(encoding="utf-8")
    path = RESULTS / "train_gpu.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    assert text == markdown(results)
    assert results or text.startswith("Not yet measured")


@pytest.mark.slow
def test_a_dry_run_goes_all_the_way(demo_model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.train_gpu", "--dry-run", "--recipes", "alttrain-8b",
               "--steps", "3", "--warmup", "1", "--side-by-side", "4", "--out", str(tmp_path)]  # fmt: skip
    scratch = tmp_path / "mpt"  # a random name may hold what Axolotl takes for an MPT model
    scratch.mkdir()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (one,) = json.loads((tmp_path / "train_gpu.json").read_text())["recipes"]
    assert list(one["setups"]) == ["authors", "authors, checkpointing", "recipe", "recipe, full rows"]
    for setup, measured in one["setups"].items():
        assert "failed" not in measured, measured
        assert measured["rows_per_step"] == (1 if "full" in setup else 8)
        assert measured["steps"] == 2
        assert measured["last_loss"] == pytest.approx(10.8, abs=0.2)  # log of the vocabulary: nothing is known yet
    assert 3600 < one["setups"]["recipe, full rows"]["largest_pass"] <= 4096
    packed, padded = one["setups"]["recipe"], one["setups"]["authors"]
    assert packed["padding"] < 0.01 < padded["padding"]
    assert "alttrain-8b" in (tmp_path / "train_gpu.md").read_text()
    assert "alttrain-8b" in RECIPES
