from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.cli.fit_command import estimate
from axolotl_alttrain.cli.recipe import load_config
from axolotl_alttrain.cli.row_lengths import row_lengths, with_rows
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.fit.epoch_batches import epoch_batches
from axolotl_alttrain.fit.error_band import PUBLISHED_BAND
from axolotl_alttrain.fit.gpus import find_gpu
from benchmarks.recipes import card_of, gpu_recipes
from tests.conftest import ROOT
from tests.fit.conftest import recipe_cfg

EIGHT_B = ROOT / "examples" / "alttrain-8b.yml"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(alttrain, ["fit", *arguments], catch_exceptions=False)


def test_the_8b_recipe_offline(tmp_path: Path) -> None:
    result = run(str(EIGHT_B), "--json", str(tmp_path / "fit.json"))
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "fit.json").read_text())
    assert found["parameters"] == 8_030_261_248
    assert found["fits"] is True
    assert found["lengths"]["rows"] == 3148
    assert found["peak_gib"] == pytest.approx(sum(part["bytes"] for part in found["parts"]) / 2**30, abs=0.01)
    # NF4: half a byte and, doubly quantized, a scale byte for 64 weights; 6,979,321,856 linear weights.
    weights = next(part["bytes"] for part in found["parts"] if part["name"].startswith("linear"))
    assert weights == pytest.approx(6_979_321_856 * (0.5 + 1 / 64), rel=0.001)
    assert found["time"]["steps"] == 394 * 15
    output = " ".join(result.output.split())
    assert "155 TFLOPS and that a pass of a 4-bit layer takes at least 7 ms. It excludes loading and saving." in output
    assert PUBLISHED_BAND.sentence() in output
    assert found["error_band"] == dataclasses.asdict(PUBLISHED_BAND)


def test_a_card_too_small_ends_with_1(tmp_path: Path) -> None:
    lora = tmp_path / "lora.yml"
    lora.write_text((ROOT / "examples" / "alttrain-8b-lora.yml").read_text())
    result = run(str(lora), "--gpu", "l4")
    assert result.exit_code == 0  # 21 GiB of 22.5 with the seed data
    result = run(str(ROOT / "examples" / "alttrain-32b.yml"), "--gpu", "3090", "--rows", "40")
    assert result.exit_code == 0
    result = run(str(ROOT / "examples" / "alttrain-32b-lora-2xa6000-fsdp.yml"), "--gpus", "1")
    assert result.exit_code == 1
    assert "DOES NOT FIT" in result.output


def test_mistakes_end_in_one_line(tmp_path: Path) -> None:
    result = run(str(EIGHT_B), "--gpu", "voodoo")
    assert result.exit_code == 1
    assert result.output.startswith("Error: --gpu: found 'voodoo'; allowed: a6000")
    bad = tmp_path / "bad.yml"
    bad.write_text(EIGHT_B.read_text().replace("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "nobody/nothing"))
    result = run(str(bad))
    assert result.exit_code == 1
    assert "nobody/nothing" in result.output


def test_lengths_are_counted_where_the_tokenizer_is_here(recipe: Callable[..., Path]) -> None:
    from axolotl_alttrain.cli.preview.preview_rows import read_rows
    from axolotl_alttrain.cli.recipe import load_recipe

    path = recipe()
    found = row_lengths(load_config(path, gpu=find_gpu("a6000")))
    assert found.counted
    assert found.tokens == [row.tokens for row in read_rows(load_recipe(path))]


def test_rows_longer_than_the_limit_are_left_out(recipe: Callable[..., Path]) -> None:
    every = row_lengths(load_config(recipe(), gpu=find_gpu("a6000"))).tokens
    limit = min(every)
    path = recipe(sequence_len=limit, excess_length_strategy="drop")
    found = row_lengths(load_config(path, gpu=find_gpu("a6000")))
    assert (found.tokens, found.dropped) == ([limit] * 3, 3)
    with pytest.raises(AltTrainError, match="none of the 6 rows fits into sequence_len 9; raise it"):
        row_lengths(load_config(recipe(sequence_len=9), gpu=find_gpu("a6000")))


def test_another_number_of_rows_keeps_their_lengths(recipe: Callable[..., Path]) -> None:
    lengths = row_lengths(load_config(recipe(), gpu=find_gpu("a6000")))
    found = with_rows(lengths, 20, seed=1)
    assert len(found.tokens) == 20
    assert set(found.tokens) == set(lengths.tokens)
    assert found.tokens[:6] == lengths.tokens
    assert with_rows(lengths, 20, seed=1) == found


def test_packed_batches_hold_every_row_once_and_at_most_the_bin() -> None:
    lengths = [100 + i for i in range(50)]
    cfg = recipe_cfg(sample_packing=True, sample_packing_bin_size=8, sequence_len=1024, pad_to_sequence_len=False)
    batches = epoch_batches(lengths, cfg)
    assert sum(batch.rows for batch in batches) == 50
    assert sum(batch.tokens for batch in batches) == sum(lengths)
    assert max(batch.rows for batch in batches) == 8
    assert all(batch.tokens == batch.padded <= 1024 for batch in batches)


def test_padded_batches_are_as_long_as_their_longest_row() -> None:
    cfg = recipe_cfg(micro_batch_size=4, pad_to_sequence_len=False)
    batches = epoch_batches([10, 20, 30, 40, 50, 60], cfg)
    assert [batch.rows for batch in batches] == [4, 2]
    assert all(batch.padded % batch.rows == 0 and batch.padded >= batch.tokens for batch in batches)
    assert epoch_batches([10] * 4, recipe_cfg(micro_batch_size=4))[0].padded == 4 * 64  # the collator's multiple
    assert epoch_batches([10] * 4, recipe_cfg(micro_batch_size=4, pad_to_sequence_len=True))[0].padded == 4 * 512


def test_the_largest_batch_that_fits_fits_and_the_next_does_not() -> None:
    from axolotl_alttrain.fit.architecture import read_architecture
    from axolotl_alttrain.fit.memory import GIB, memory_parts, read_model

    gpu = find_gpu("a6000")
    found = estimate(EIGHT_B, gpu)
    cfg = load_config(EIGHT_B, gpu=gpu)
    model = read_model(read_architecture(cfg), cfg)
    limit = gpu.memory * GIB
    assert sum(p.bytes for p in memory_parts(model, cfg, found.most_tokens)) <= limit
    assert sum(p.bytes for p in memory_parts(model, cfg, found.most_tokens + 1)) > limit
    longest = sum(sorted(found.lengths.tokens)[-8:])
    assert found.micro_batch_size == found.most_tokens // longest


@pytest.mark.slow
@pytest.mark.parametrize("path", gpu_recipes(), ids=lambda p: p.stem)
def test_the_header_says_what_fit_says_and_the_card_is_large_enough(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    memory = re.search(r"^# Memory +(\d+) GiB.*?(\d+) GiB with rows", text, re.MULTILINE)
    time = re.search(r"^# Time +(\d+) minutes", text, re.MULTILINE)
    assert memory is not None
    assert time is not None
    found = estimate(path, card_of(text))
    # With a tokenizer at hand lengths are counted instead of estimated, and differ a little.
    assert found.gib == pytest.approx(int(memory[1]), rel=0.15, abs=0.6)
    assert found.full_gib == pytest.approx(int(memory[2]), rel=0.02, abs=0.6)
    assert found.time.seconds / 60 == pytest.approx(int(time[1]), rel=0.2, abs=0.6)
    assert found.full_gib < found.gpu.memory
