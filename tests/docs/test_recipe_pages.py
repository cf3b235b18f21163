"""The cookbook: one page for each GPU recipe, as the recipe says it today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from axolotl_alttrain.errors import AltTrainError
from benchmarks.recipes import error_line, gpu_recipes
from docs.recipe_pages import CARD, FOLDER, page, read_recipe, recipes, with_card
from tests.conftest import ROOT

INDEX = (FOLDER / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", recipes(), ids=lambda p: p.stem)
def test_a_page_is_what_its_recipe_says(path: Path) -> None:
    recipe, written = read_recipe(path), (FOLDER / f"{path.stem}.md").read_text(encoding="utf-8")
    assert written == page(recipe)
    assert recipe.lines["Error"] == error_line()
    assert recipe.settings["output_dir"] == f"./outputs/{path.stem}"
    assert f"({path.stem}.md)" in INDEX


def test_every_recipe_for_gpus_has_a_page_in_the_site() -> None:
    assert sorted(recipes()) == sorted(gpu_recipes())
    assert {path.stem for path in FOLDER.glob("*.md")} == {"index", *(path.stem for path in recipes())}
    in_site = re.findall(r"cookbook/(alttrain-[\w.-]+)\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(in_site) == sorted(path.stem for path in recipes())


def test_a_recipe_without_an_estimate_is_named(tmp_path: Path) -> None:
    path = tmp_path / "alttrain-new.yml"
    path.write_text("# A recipe.\n#\n# Run       axolotl train new.yml\n\nbase_model: x\n")
    with pytest.raises(AltTrainError, match=r"alttrain-new\.yml: the header lacks an estimate or a command"):
        read_recipe(path)


def test_the_card_is_one_that_the_hub_reads() -> None:
    found = CARD.search(INDEX)
    assert found is not None
    card = found[0].removeprefix("````markdown\n").removesuffix("\n````\n")
    assert with_card(INDEX, card) == INDEX
    metadata = yaml.safe_load(card.split("---\n")[1])
    results = metadata["model-index"][0]["results"]
    assert {result["metrics"][0]["type"] for result in results} == {"harmful_response", "over_refusal", "accuracy"}
    assert "<!-- alttrain-evaluation: begin -->" in card
    assert "\N{REPLACEMENT CHARACTER}" not in card
