from __future__ import annotations

import json
from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.fit.error_band import PUBLISHED_BAND
from benchmarks.published.comparison import Row, compare, errors
from benchmarks.published.points import Point, Published, Source, read_published
from benchmarks.published.report import halves, markdown
from benchmarks.recipes import error_line, gpu_recipes
from tests.conftest import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "published_memory.json"
TINY = {
    "model_type": "llama", "vocab_size": 1000, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False,
}  # fmt: skip


def test_the_band_in_the_output_is_the_one_in_the_results() -> None:
    found = json.loads(RESULTS.read_text())["errors"]["both"]
    band = PUBLISHED_BAND
    assert (band.memory_points, band.time_points) == (found["points"], found["speeds"]) == (31, 13)
    assert band.memory_median == round(found["median"], 2) == 0.04
    assert band.memory_worst == round(found["worst"], 2) == 0.28
    assert band.time_factor == round(found["factor"], 2) == 1.64


def test_each_recipe_states_the_band() -> None:
    assert error_line() == (
        "memory 4 % in the median, 28 % at most; time a factor of at most 1.6: fit against published measurements"
    )
    for path in gpu_recipes():
        assert f"# Error     {error_line()}\n" in path.read_text(encoding="utf-8"), path.name


def test_the_results_list_every_point_of_the_file() -> None:
    points = json.loads(RESULTS.read_text())["points"]
    published = read_published()
    assert [point["id"] for point in points] == [point.id for point in published.points]
    assert len({point.id for point in published.points}) == len(published.points) == 57
    halves_found = [point["half"] for point in points if point["half"] != "outside"]
    assert halves_found == ["tuning", "check"] * (len(halves_found) // 2) + ["tuning"] * (len(halves_found) % 2)


def test_a_source_counts_only_what_it_measures() -> None:
    sources = {
        counts: Source(
            title="", url="", commit="", unit="GiB", counts=counts, settings={"gradient_accumulation_steps": 1}
        )
        for counts in ("allocated", "reserved", "process")
    }
    points = [Point(id=name, source=name, model="tiny", tokens=(1, 128), memory=1.0) for name in sources]
    allocated, reserved, process = compare(Published(sources=sources, models={"tiny": TINY}, points=points))
    found = [row.memory or 0.0 for row in (allocated, reserved, process)]
    # 5 % of what a pass keeps, and 2 bytes a logit; then the context.
    assert 0 < found[1] - found[0] < 0.01
    assert found[2] - found[1] == pytest.approx(0.6)


def test_a_point_in_gb_is_converted_and_a_point_without_tokens_has_no_estimate() -> None:
    source = Source(title="", url="", commit="", unit="GB", counts="allocated")
    point = Point(id="a", source="s", model="tiny", memory=1.073741824, outside="no tokens")
    (row,) = compare(Published(sources={"s": source}, models={"tiny": TINY}, points=[point]))
    assert (row.half, row.published, row.memory, row.error, row.factor) == ("outside", 1.0, None, None, None)


def test_errors_of_some_rows() -> None:
    def row(memory: float, speed: float) -> Row:
        point = Point(id="a", source="s", model="m", memory=10, tokens_per_second=100)
        return Row(point, "check", 10.0, memory, speed)

    found = errors([row(11, 50), row(9.5, 120), row(10, 100)])
    assert (found.points, found.speeds, found.factor) == (3, 3, 2.0)
    assert found.median == pytest.approx(0.05)
    assert found.worst == pytest.approx(0.1)


def test_the_table_names_source_half_and_error() -> None:
    source = Source(title="Somebody's table", url="https://example.org/t", commit="abc", unit="GiB", counts="reserved")
    tuning, check = (Point(id=f"p{n}", source="s", model="tiny", memory=10, assumed="packing") for n in range(2))
    other = Point(id="p2", source="s", model="tiny", memory=10, outside="pipelines")
    published = Published(sources={"s": source}, models={"tiny": TINY}, points=[tuning, check, other])
    rows = [
        Row(tuning, "tuning", 10.0, 11.0, None),
        Row(check, "check", 10.0, 9.0, None),
        Row(other, "outside", 10.0, 5.0, None),
    ]
    text = markdown(published, rows)
    assert "| both | 2 | 10 % | 10 % | 0 | |\n" in text
    assert "[Somebody's table](https://example.org/t), abc. Memory counts what is reserved by the allocator." in text
    assert "| p1 | check | 10.0 | 9.0 | -10 % |  |  |\n" in text
    assert text.count("Assumed: packing.") == 1
    assert "| p2 | 10.0 | 5.0 | pipelines |\n" in text
    assert halves(rows)["outside"].worst == 0.5


def test_a_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "points.yml"
    file.write_text("sources: {}\nmodels: {}\npoints: [{id: a, source: s, model: m, memory: 1}]\n")
    with pytest.raises(AltTrainError, match="a: unknown source 's'; add it to 'sources:'"):
        read_published(file)
    file.write_text("sources: {}\nmodels: {}\npoints: [{id: a, source: s, model: m}]\n")
    with pytest.raises(AltTrainError, match=r"points\.0\.memory: Field required"):
        read_published(file)
