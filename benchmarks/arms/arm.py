"""An arm: the demo recipe with something changed, and why; arms are listed in YAML files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from axolotl_alttrain.errors import AltTrainError

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"


class Arm(BaseModel, frozen=True):
    """One arm.

    Attributes:
        name: Of its row, point and folder.
        why: The reason to try it, in one line.
        recipe: Keys of the recipe with other values; null removes a key. Options under ``alttrain`` join the recipe's.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    why: str = Field(min_length=1)
    recipe: dict[str, JsonValue] = {}

    def config(self, seed: int, folder: Path, steps: int | None = None) -> dict[str, Any]:
        """The Axolotl config of this arm with a seed, which writes into ``folder`` and may end after some steps."""
        recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
        config = recipe | {"seed": seed} | self.recipe
        if isinstance(options := self.recipe.get("alttrain"), dict):
            config["alttrain"] = recipe["alttrain"] | options
        config |= {"output_dir": str(folder), "dataset_prepared_path": str(folder / "prepared")}
        if steps is not None:
            config["max_steps"] = steps
        return {key: value for key, value in config.items() if value is not None}


def read_arms(file: Path, only: Sequence[str] | None = None) -> list[Arm]:
    """The arms of a file.

    Args:
        file: YAML, with a list under ``arms``.
        only: Their names; None for all.

    Raises:
        AltTrainError: The file is not such a list, or has no arm of a name.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        arms = [Arm.model_validate(one) for one in content["arms"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise AltTrainError(
            f"{file}: cannot be read as a list of arms ({error}); see benchmarks/arms/arms.yml"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise AltTrainError(
            f"{file}: an arm's field '{field}' is wrong ({first['msg']}); see benchmarks/arms/arms.yml"
        ) from None
    names = [arm.name for arm in arms]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise AltTrainError(f"{file}: two arms are called {doubled[0]}; give them names of their own")
    if unknown := [name for name in only or () if name not in names]:
        raise AltTrainError(f"{file}: has no arm {', '.join(unknown)}; allowed: {', '.join(names)}")
    return [arm for arm in arms if only is None or arm.name in only]
