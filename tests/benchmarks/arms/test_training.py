"""Time and speed from Axolotl's log, and trainings that are there already."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from axolotl_alttrain.errors import AltTrainError
from benchmarks.arms.training import Training, measured_training, train

STEP = "{{'loss': '2.2', 'tokens/trainable': {tokens}, 'tokens/total': 9, 'epoch': '{epoch}'}}\n"
END = "{{'train_runtime': '{seconds}', 'train_loss': '2.2', 'epoch': '1'}}\n"


def test_the_tokens_of_the_last_logged_step_are_carried_on_to_the_end(tmp_path: Path) -> None:
    assert measured_training(tmp_path) == Training(None, None)
    earlier = STEP.format(tokens=5, epoch="0.5") + END.format(seconds="1e+03")
    last = STEP.format(tokens=100, epoch="0.25") + STEP.format(tokens=300, epoch="0.75") + END.format(seconds="120.0")
    (tmp_path / "debug.log").write_text(earlier + last)
    assert measured_training(tmp_path) == Training(2.0, 3.3)  # 300 / 0.75 / 120
    (tmp_path / "debug.log").write_text(END.format(seconds=90))
    assert measured_training(tmp_path) == Training(1.5, None)


def test_a_finished_training_is_kept_and_another_recipe_refused(tmp_path: Path) -> None:
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).touch()
    (tmp_path / "recipe.yml").write_text("seed: 1\n")
    train({"seed": 1}, tmp_path)
    (tmp_path / "rows.jsonl").write_text("{}\n")
    rows = {"seed": 1, "datasets": [{"path": str(tmp_path / "rows.jsonl")}]}
    (tmp_path / "recipe.yml").write_text(
        yaml.safe_dump(rows, sort_keys=False) + "# rows.jsonl ca3d163bab055381\n"  # sha256 of {} and a line end
    )
    train(rows, tmp_path)
    (tmp_path / "rows.jsonl").write_text("{}\n{}\n")
    with pytest.raises(AltTrainError, match="another recipe or data"):
        train(rows, tmp_path)
    with pytest.raises(
        AltTrainError, match="was trained with another recipe or data; delete the folder, or use another --out"
    ):
        train({"seed": 2}, tmp_path)
