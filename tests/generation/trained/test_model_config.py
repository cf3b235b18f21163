from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.generation.trained.model_config import unreadable_adapter


def test_an_adapter_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    said = str(unreadable_adapter("outputs/alttrain-8b", OSError("offline")))
    assert said == (
        "outputs/alttrain-8b: there is no such folder, and no such adapter on the Hub or no way to reach it; train it "
        "first, or give an adapter's folder or Hub ID"
    )
    said = str(unreadable_adapter(str(tmp_path), ValueError("Can't find 'adapter_config.json'\nmore")))
    assert said == f"{tmp_path} holds no adapter (Can't find 'adapter_config.json'); give the adapter's folder"
