from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export.shards import Planned, ShardWriter, parse_size

TENSORS = {
    "a": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3),
    "b": torch.tensor([1.5, -2.0]),
    "c": torch.arange(4, dtype=torch.float16),
    "d": torch.tensor(7),
}
PLAN = [Planned(name, tuple(one.shape), str(one.dtype).removeprefix("torch.")) for name, one in TENSORS.items()]


def write(folder: Path, largest: int) -> None:
    with ShardWriter(folder, PLAN, largest) as writer:
        for name, tensor in TENSORS.items():
            writer.write(name, tensor)


def test_one_file_is_read_by_safetensors(tmp_path: Path) -> None:
    write(tmp_path, 1000)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    read = load_file(tmp_path / "model.safetensors")
    assert {name: (one.dtype, one.tolist()) for name, one in read.items()} == {
        name: (one.dtype, one.tolist()) for name, one in TENSORS.items()
    }
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_files_are_no_larger_than_asked_and_the_index_names_them(tmp_path: Path) -> None:
    write(tmp_path, 20)
    assert json.loads((tmp_path / "model.safetensors.index.json").read_text()) == {
        "metadata": {"total_size": 36},
        "weight_map": {
            "a": "model-00001-of-00002.safetensors",
            "b": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors",
            "d": "model-00002-of-00002.safetensors",
        },
    }
    assert sorted(load_file(tmp_path / "model-00001-of-00002.safetensors")) == ["a", "b"]
    assert load_file(tmp_path / "model-00002-of-00002.safetensors")["d"].item() == 7


def test_a_tensor_out_of_turn_or_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^b comes where"), ShardWriter(tmp_path, PLAN, 99) as writer:
        writer.write("b", TENSORS["b"])
    with pytest.raises(ValueError, match=r"^b was planned and not written"), ShardWriter(tmp_path, PLAN, 99) as writer:
        writer.write("a", TENSORS["a"])


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5_000_000_000), ("1.5 mb", 1_500_000), ("200KB", 200_000), ("4096", 4096)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0GB", "5TBs", "-1GB", "five"])
def test_what_is_no_size_is_reported(text: str) -> None:
    with pytest.raises(AltTrainError, match=f"^--max-shard-size: '{text}' is not a size; write a number with"):
        parse_size(text)
