"""``axolotl train`` with weights split over two CPU processes: FSDP2 and DeepSpeed ZeRO-3."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

from .runs import (
    OPT_IN,
    RECORDER,
    Trained,
    expected_rows,
    greedy_tokens,
    run,
    steps_said,
    train,
    write_recipe,
)

pytestmark = OPT_IN
PLUGINS = ["axolotl_alttrain.AltTrainPlugin", RECORDER, "tests.scale_out.cpu_shards.SplitOnTheCpu"]
WATCHED = {"probe_every": 6, "evaluate": "probe"}
WITHOUT_PLUGIN = "accelerate splits a model over GPUs only, and there is none here"


def settings(kind: str) -> dict[str, Any]:
    """The keys that split the weights, as the 32B recipe has them, without what needs bfloat16."""
    recipe = yaml.safe_load((ROOT / "examples" / f"alttrain-32b-lora-2xa6000-{kind}.yml").read_text())
    if kind == "fsdp":
        return {
            "fsdp_version": recipe["fsdp_version"],
            "fsdp_config": recipe["fsdp_config"] | {"transformer_layer_cls_to_wrap": "LlamaDecoderLayer"},
        }
    return {"deepspeed": {key: value for key, value in recipe["deepspeed"].items() if key != "bf16"}}


@pytest.mark.parametrize(("kind", "weights"), [("fsdp", "DTensor"), ("zero3", "ZeroParamStatus.NOT_AVAILABLE")])
def test_split_weights_train_what_one_process_trains(
    kind: str, weights: str, alone: Trained, tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    if kind == "zero3" and find_spec("deepspeed") is None:
        pytest.skip("deepspeed is not installed; it comes with axolotl[deepspeed]")
    recipe = write_recipe(tiny[0], tmp_path, plugins=PLUGINS, alttrain=WATCHED, **settings(kind))
    two = train(recipe, 2)
    first, second = two.ends
    assert (first["world"], first["kind"]) == (2, {"fsdp": "FSDP", "zero3": "DEEPSPEED"}[kind])
    assert weights in first["weights"]
    assert two.rows == expected_rows(recipe)
    assert {first["steps"], second["steps"]} == steps_said(recipe, 2) == {12}
    assert first["losses"] == pytest.approx(alone.ends[0]["losses"], rel=1e-3)
    assert "the probe is off: with " in " ".join(two.said.split())
    assert first["probed"] == []
    assert (two.folder / "evaluations.jsonl").read_text() == "[]\n"
    assert set(json.loads((two.folder / "out" / "eval" / "summary.json").read_text())["runs"]) == {"base", "tuned"}
    tokens = greedy_tokens(tiny[0], two.folder / "out")
    assert tokens == greedy_tokens(tiny[0], two.folder / "out")
    assert tokens != greedy_tokens(tiny[0], None)


def test_split_weights_on_processes_without_gpus_are_refused(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    """accelerate would train whole copies, or each process alone, and say nothing."""
    recipe = write_recipe(tiny[0], tmp_path, **settings("fsdp"))
    command = ["axolotl", "train", recipe.name, "--launcher", "torchrun", "--", "--standalone", "--nproc_per_node", "2"]
    done = run(command, recipe.parent)
    assert done.returncode != 0
    assert f"axolotl-alttrain: fsdp_config: {WITHOUT_PLUGIN}" in done.stderr
