from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axolotl.utils.dict import DictDefault

from axolotl_alttrain.ray_training import prepare_driver, set_batch_size


def test_paths_mean_the_same_in_every_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("")
    cfg = {
        "base_model": "org/model",
        "output_dir": "./out",
        "datasets": [{"path": "rows.jsonl"}, {"path": "org/rows"}],
    }
    prepare_driver(cfg)
    assert cfg["base_model"] == "org/model"  # a Hub id
    assert cfg["output_dir"] == str(tmp_path / "out")
    assert cfg["datasets"] == [{"path": str(tmp_path / "rows.jsonl")}, {"path": "org/rows"}]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, None),
        ({"ray_num_workers": 1}, None),
        ({"ray_num_workers": 2}, True),
        ({"ray_num_workers": 2, "ddp": False}, False),
    ],
)
def test_several_workers_share_the_data(given: dict[str, Any], sent: bool | None) -> None:
    prepare_driver(given)
    assert given.get("ddp") is sent


@pytest.mark.parametrize(
    ("resources", "gpus"), [(None, True), ({"GPU": 1}, True), ({"CPU": 1}, False), ({"CPU": 1, "GPU": 0}, False)]
)
def test_workers_without_gpus(resources: dict[str, int] | None, gpus: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    train = pytest.importorskip("ray.train", reason="ray is not installed; it comes with axolotl[ray]")
    monkeypatch.setattr(train, "ScalingConfig", train.ScalingConfig)
    prepare_driver({"resources_per_worker": resources})
    asked: dict[str, Any] = {} if resources is None or not gpus else {"resources_per_worker": resources}
    assert train.ScalingConfig(num_workers=2, use_gpu=True, **asked).use_gpu is gpus


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"micro_batch_size": 2, "gradient_accumulation_steps": 3}, (6, 3)),
        ({"micro_batch_size": 2, "batch_size": 8}, (8, 4)),
    ],
)
def test_the_batch_size_of_a_process(given: dict[str, int], found: tuple[int, int]) -> None:
    cfg = DictDefault(given)
    set_batch_size(cfg)
    assert (cfg.batch_size, cfg.gradient_accumulation_steps) == found
