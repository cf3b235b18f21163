from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.train_gpu.__main__ import RECIPES, RESULTS, tiny_config
from benchmarks.train_gpu.blank_model import randomize, write_blank_checkpoint
from benchmarks.train_gpu.results import markdown
from benchmarks.train_gpu.setups import config_for
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


def test_without_a_gpu_the_results_say_so() -> None:
    text = (RESULTS / "train_gpu.md").read_text(encoding="utf-8")
    path = RESULTS / "train_gpu.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    assert text == markdown(results)
    assert results or text.startswith("Not yet measured")


@pytest.mark.slow
def test_a_dry_run_goes_all_the_way(demo_model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.train_gpu", "--dry-run", "--recipes", "alttrain-8b",
               "--steps", "3", "--warmup", "1", "--out", str(tmp_path)]  # fmt: skip
    scratch = tmp_path / "mpt"  # a random name may hold what Axolotl takes for an MPT model
    scratch.mkdir()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (one,) = json.loads((tmp_path / "train_gpu.json").read_text())["recipes"]
    assert list(one["setups"]) == ["authors", "authors, checkpointing", "recipe"]
    for measured in one["setups"].values():
        assert "failed" not in measured, measured
        assert measured["rows_per_step"] == 8
        assert measured["steps"] == 2
        assert measured["last_loss"] == pytest.approx(10.8, abs=0.2)  # log of the vocabulary: nothing is known yet
    packed, padded = one["setups"]["recipe"], one["setups"]["authors"]
    assert packed["padding"] < 0.01 < padded["padding"]
    assert "alttrain-8b" in (tmp_path / "train_gpu.md").read_text()
    assert "alttrain-8b" in RECIPES
