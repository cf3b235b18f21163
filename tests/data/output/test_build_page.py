from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.output.build_page import page, samples, write_page
from axolotl_alttrain.data.output.build_plots import bars, lengths
from axolotl_alttrain.data.output.build_report import BuildReport, LengthSpread
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.rows import example_from_row
from tests.conftest import HARMFUL_ROW
from tests.data.output.test_dataset_card import REPORT, TOTAL

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def report(**changes: Any) -> BuildReport:
    return BuildReport.model_validate(REPORT | changes)


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def test_nothing_from_the_data_is_markup() -> None:
    rows = [example_from_row(HARMFUL_ROW | {"instruction": HOSTILE, "answer": HOSTILE, "category": HOSTILE})]
    counts = REPORT["counts"] | {"category": {HOSTILE: 1000}, "source": {"$x^2$": 1000}}
    tags = Tags(page(report(counts=counts, rejected={HOSTILE: 3}, name=HOSTILE), rows)).found
    assert not [tag for tag, _ in tags if tag in ("script", "img", "iframe", "link")]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert not [a for _, a in tags if any(str(v).startswith("http") and k in ("src", "href") for k, v in a.items())]


def test_every_plot_has_its_text_and_thoughts_are_folded() -> None:
    text = page(report(), [example_from_row(HARMFUL_ROW)])
    figures = [attributes["aria-label"] for tag, attributes in Tags(text).found if tag == "figure"]
    assert figures == [
        "Labels: benign 100, harmful 900",
        "Categories: a|b<i> 1000",
        "Languages: en 990, unknown 10",
        "Sources: star1 1000",
        "Histogram of tokens per row; the mean is 145.5, the paper's mean is 167.",
        "Rows left out: near_duplicate 40",
    ]
    folded = re.search(r"<details><summary>thought and answer</summary>(.*?)</details>", text, re.DOTALL)
    assert folded is not None
    for value in (HARMFUL_ROW["harmfulness_assessment"], "I can&#39;t help with that."):
        assert value in folded[1]
        assert text.count(value) == 1
    assert "3 of them resemble a prompt" in text


def test_the_mean_of_the_paper_is_drawn_and_named() -> None:
    svg = lengths(LengthSpread.model_validate(TOTAL))
    assert "paper's mean, 167" in svg
    assert "mean here, 146" in svg
    assert "currentColor" in svg


def test_many_names_are_added_up() -> None:
    svg = bars({f"name{number:02}": 100 - number for number in range(40)})
    assert "name23" in svg
    assert "name24" not in svg
    assert "16 others" in svg
    assert f" {sum(100 - number for number in range(24, 40)):,}" in svg


def test_samples_are_the_first_of_each_label(tmp_path: Path) -> None:
    rows = [HARMFUL_ROW | {"label": label, "id": str(i)} for i, label in enumerate(["harmful"] * 5 + ["benign"] * 3)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [example.id for example in samples(tmp_path / "data.jsonl", each=2)] == ["0", "1", "5", "6"]


def test_a_folder_without_a_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match="run 'axolotl alttrain build' first"):
        write_page(tmp_path)
