from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.protocols import protocol_named
from axolotl_alttrain.eval.report.paper import hub_id, paper_results

LLAMA = "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"
R1_8B = [
    {"training": "none", "harmful": 83.5, "over_refusal": 0.4, "reasoning": 58.1},
    {"training": "AltTrain-1K", "harmful": 4.8, "over_refusal": 14.0, "reasoning": 59.8},
]


def test_a_hub_id_is_found_whatever_its_case() -> None:
    found = paper_results(LLAMA.lower())
    assert found is not None
    assert (found.backbone, found.source) == ("R1-8B", "arXiv 2604.18946")
    assert [result.model_dump(exclude_defaults=True) for result in found.results] == R1_8B
    assert hub_id(LLAMA) == LLAMA


@pytest.mark.parametrize(
    "model",
    [
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",  # the paper trains it, but has no row for it here
        "someone/DeepSeek-R1-Distill-Llama-8B",
        "simplescaling/s1-32B",
        "Qwen/Qwen3-8B",
    ],
)
def test_other_models_have_no_points(model: str) -> None:
    assert paper_results(model) is None


@pytest.mark.parametrize(("file", "key"), [("config.json", "_name_or_path"), ("origin.json", "origin")])
def test_a_folder_says_where_it_comes_from(tmp_path: Path, file: str, key: str) -> None:
    (tmp_path / file).write_text(json.dumps({key: LLAMA}))
    found = paper_results(str(tmp_path))
    assert found is not None
    assert found.backbone == "R1-8B"
    assert hub_id(str(tmp_path)) == LLAMA


def test_a_folder_by_its_name_and_in_the_hubs_cache(tmp_path: Path) -> None:
    plain = tmp_path / "DeepSeek-R1-Distill-Qwen-7B"
    cached = tmp_path / "models--deepseek-ai--DeepSeek-R1-Distill-Qwen-32B" / "snapshots" / "0123"
    for folder, backbone in ((plain, "R1-7B"), (cached, "R1-32B")):
        folder.mkdir(parents=True)
        found = paper_results(str(folder))
        assert found is not None
        assert found.backbone == backbone
    assert hub_id(str(plain)) is None
    assert hub_id(str(cached)) == "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"


def test_every_backbone_has_both_points_and_rates_in_percent() -> None:
    published = protocol_named("alttrain").published
    assert published
    assert [b.name for b in published.backbones] == ["R1-7B", "R1-8B", "R1-32B", "S1-14B"]
    for backbone in published.backbones:
        assert [r.training for r in backbone.results] == ["none", "AltTrain-1K"]
    rows = [(r.harmful, r.over_refusal) for b in published.backbones for r in b.results]
    rows += [(r["harmful"], r["over_refusal"]) for r in published.ablations]
    assert all(0 <= rate <= 100 for row in rows for rate in row if rate is not None)


def test_another_papers_rows_are_found_by_its_protocol() -> None:
    found = paper_results(LLAMA, "thinksafe")
    assert found
    first, *_, last = found.results
    assert (found.title, found.backbone, first.training, last.training) == ("ThinkSafe", "R1-8B", "none", "ThinkSafe")
    assert (first.harmful, first.over_refusal, first.sets["strongreject"]) == (52.01, 0.4, 53.99)
    assert (last.harmful, last.over_refusal) == (24.92, 1.6)
    assert paper_results(LLAMA, "star-1") is None
