"""Arms as their file lists them, and the configs that they make."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from axolotl_alttrain.errors import AltTrainError
from benchmarks.arms.__main__ import ARMS
from benchmarks.arms.arm import RECIPE, Arm, read_arms


def test_an_arm_is_the_recipe_with_its_overrides() -> None:
    arm = Arm(name="a", why="w", recipe={"bf16": None, "bfloat16": True, "learning_rate": 1e-4})
    recipe = yaml.safe_load(RECIPE.read_text())
    changed = {"bfloat16": True, "learning_rate": 1e-4, "seed": 7, "output_dir": "out"}
    changed["dataset_prepared_path"] = "out/prepared"
    assert arm.config(7, Path("out")) == {k: v for k, v in recipe.items() if k != "bf16"} | changed


def test_an_arm_ends_after_the_steps_that_are_asked_for() -> None:
    recipe = yaml.safe_load(RECIPE.read_text())
    arm = Arm(name="a", why="w", recipe={"max_steps": 9})
    assert "max_steps" not in recipe
    assert [arm.config(7, Path("out"), steps)["max_steps"] for steps in (None, 5)] == [9, 5]


def test_an_option_of_the_plugin_leaves_the_others() -> None:
    arm = Arm(name="a", why="w", recipe={"alttrain": {"verdict_weight": 1}})
    assert arm.config(7, Path("out"))["alttrain"] == {"understanding": "quoted", "verdict_weight": 1}


def test_the_listed_arms_change_only_keys_that_the_recipe_or_axolotl_knows() -> None:
    from axolotl.utils.schemas.config import AxolotlInputConfig

    arms = read_arms(ARMS)
    assert arms[0].recipe == {}
    assert {key for arm in arms for key in arm.recipe} <= {*AxolotlInputConfig.model_fields, "alttrain"}
    assert [arm.name for arm in read_arms(ARMS, ["float32", "qlora"])] == ["float32", "qlora"]


def test_controls_weight_verdicts_only_where_their_rows_have_some() -> None:
    variants = yaml.safe_load((ARMS.parent / "controls-data.yml").read_text())["variants"]
    without = {one["name"] for one in variants if "harmfulness_assessment" in one.get("omit", ())}
    arms = read_arms(ARMS.parent / "controls.yml")
    assert {arm.name for arm in arms if "alttrain" not in arm.config(1, Path("out"))} == without


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arms: 3", "cannot be read as a list of arms"),
        ("arms: [{name: a}]", "field 'why' is wrong (Field required)"),
        ("arms: [{name: A b, why: w}]", "field 'name' is wrong"),
        ("arms: [{name: a, why: w, overrides: {}}]", "field 'overrides' is wrong (Extra inputs are not permitted)"),
        ("arms: [{name: a, why: w}, {name: a, why: w}]", "two arms are called a; give them names of their own"),
    ],
)
def test_a_broken_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(AltTrainError) as error:
        read_arms(tmp_path / "a.yml")
    assert message in str(error.value)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AltTrainError, match="has no arm nothing; allowed: recipe, float32"):
        read_arms(ARMS, ["nothing"])
