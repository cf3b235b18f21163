"""Both pages on paper, on a wide screen and on a narrow one: nothing is cut off, and what scrolls says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.report import write_report
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.run import main

from ....browser import Browser
from ...compare.folders import BASE, NO, OVER, RIGHT, folder, training

A4 = 718  # CSS pixels between the margins that browsers print with
BEYOND = """
return [...document.querySelectorAll("body *")].filter((e) => !e.closest("figure, table")
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((e) => e.outerHTML);
"""
CUT = """
const cut = [];
for (const cell of document.querySelectorAll("th, td")) {
  const edge = Math.min(document.documentElement.clientWidth, cell.closest("table").getBoundingClientRect().right);
  if (cell.getBoundingClientRect().right > edge + 1) cut.push(cell.textContent);
}
for (const svg of document.querySelectorAll("svg"))
  if (svg.getBoundingClientRect().right > svg.parentElement.getBoundingClientRect().right + 1) cut.push("svg");
return cut;
"""
PICTURES = """
return [...document.querySelectorAll("figure > div")].map((box) => {
  const svg = box.querySelector("svg");
  const hint = getComputedStyle(box.parentElement, "::before").content;
  return [svg.getBoundingClientRect().width, parseFloat(svg.getAttribute("width")) * 4 / 3,
          box.scrollWidth > box.clientWidth, hint !== "none"];
});
"""


@pytest.fixture(scope="module")
def pages(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report and a comparison with numbers as wide as they get, several judges, and a long name."""
    out = tmp_path_factory.mktemp("pages")
    summary: dict[str, Any] = json.loads((finished_run / "summary.json").read_text())
    whole = {"count": 100, "total": 1000, "value": 1.0, "low": 0.963, "high": 1.0}
    summary["judges"] = ["refusal", "guard", "rubric"]
    summary["judge_quality"]["guard"] = summary["judge_quality"]["refusal"]
    for run in summary["runs"].values():
        run["metrics"] = dict.fromkeys(run["metrics"], whole)
        run["judges"] = {name: {"harmful_response": whole, "harmful_thought": whole} for name in summary["judges"]}
    for test in summary["comparison"].values():
        test |= {"difference": -1.0, "low": -1.0, "high": 1.0, "p_value": 0.0001}
    write_report(out / "report.html", Summary.model_validate(summary), [])
    name = "a-run-with-a-long_name_of_many_words_one_after_another"
    folders = [*training(out), folder(out / name, {"base": BASE, "tuned": [NO] * 12 + [OVER] * 4 + [RIGHT] * 4})]
    assert main(["compare", *map(str, folders), "--out", str(out)]) == 0
    return [out / "report.html", out / "compare.html"]


@pytest.fixture
def screens(browser: Browser) -> Iterator[Browser]:
    yield browser
    browser.own_screen()


def test_nothing_is_cut_off_on_paper_or_on_a_wide_screen(pages: list[Path], screens: Browser) -> None:
    for page in pages:
        for width, media in ((A4, "print"), (1000, "screen")):
            screens.screen(width, media)
            screens.open(page)
            assert (page.name, media, screens.run(CUT)) == (page.name, media, [])
            assert screens.run(BEYOND) == []


def test_pictures_shrink_on_a_phone_and_say_that_they_scroll(pages: list[Path], screens: Browser) -> None:
    for page in pages:
        screens.screen(400)
        screens.open(page)
        narrow = screens.run(PICTURES)
        assert len(narrow) >= 3
        for shown, drawn, scrolls, hinted in narrow:
            assert shown == pytest.approx(min(600, drawn), abs=1)
            assert (scrolls, hinted) == (True, True)
        assert screens.run(BEYOND) == []
        screens.screen(1000)
        for shown, drawn, scrolls, hinted in screens.run(PICTURES):
            assert shown == pytest.approx(min(920, drawn), abs=1)
            assert (scrolls, hinted) == (False, False)
