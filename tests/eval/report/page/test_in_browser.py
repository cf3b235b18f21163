"""The report of a real run in Chromium: plots, filters, folded answers; nothing runs and nothing is fetched."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.report import write_report
from axolotl_alttrain.eval.report.page.browser import BrowserRow
from axolotl_alttrain.eval.report.page.packing import packed
from axolotl_alttrain.eval.results.summary import Summary

from tests.eval.scoring.test_metrics import scored

from ....browser import Browser

webdriver = pytest.importorskip("selenium.webdriver")
By = pytest.importorskip("selenium.webdriver.common.by").By
Select = pytest.importorskip("selenium.webdriver.support.ui").Select

pytestmark = pytest.mark.slow
HOSTILE = '</script><script>document.title="ran"</script><img src=x onerror="document.title=\'ran\'">'
SAMPLES = re.compile(r'(<script type="text/plain" id="samples">)([^<]*)(</script>)')


@pytest.fixture(scope="module")
def driver(browser: Browser) -> Any:
    browser.driver.set_window_size(1000, 900)
    return browser.driver


def rows_of(page: str) -> list[dict[str, Any]]:
    found = SAMPLES.search(page)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[2])))


@pytest.fixture(scope="module")
def rows(finished_run: Path) -> list[dict[str, Any]]:
    """The run's own rows with outcomes of every sort: a model of random weights gives few."""
    rows = rows_of((finished_run / "report.html").read_text())
    said = ["refusal", "compliance", "partial"]
    for i, row in enumerate(rows):
        for j, run in enumerate(row["runs"]):
            verdict = said[(i * (j + 1)) % 3]
            run |= {"outcome": verdict, "verdict": [None, "harmful", "benign"][(i + j) % 3]}
            run["judges"] = {"refusal": verdict, "guard": "unsafe" if i % 2 else None}
            run |= {"thought": f"{HOSTILE} thought {i}", "answer": f"{HOSTILE} answer {i}"}
        row["instruction"] += HOSTILE
        row["runs_differ"] = len({run["outcome"] for run in row["runs"]}) > 1
        row["judges_differ"] = bool(i % 2)
    return rows


@pytest.fixture(scope="module")
def hostile(finished_run: Path, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's page with samples that would run if anything parsed them."""
    page = (finished_run / "report.html").read_text()
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(
        SAMPLES.sub(lambda m: m[1] + str(packed([BrowserRow.model_validate(row) for row in rows]).text) + m[3], page)
    )
    return path


def opened(browser: Browser, path: Path) -> list[str]:
    """Open a page; return what Chromium asked for besides the page itself."""
    browser.open(path)
    webdriver.support.wait.WebDriverWait(browser.driver, 20).until(lambda d: "page 1" in count(d))
    asked = browser.requests()
    assert path.as_uri() in asked
    return [url for url in asked if url != path.as_uri()]


def count(driver: Any) -> str:
    return driver.find_element(By.ID, "sample-count").text


def test_plots_are_drawn_and_nothing_is_fetched_or_wrong(browser: Browser, driver: Any, finished_run: Path) -> None:
    assert opened(browser, finished_run / "report.html") == []
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.get_log("browser") == []
    figures = driver.find_elements(By.CSS_SELECTOR, "figure > div[role=img]")
    starts = [figure.get_attribute("aria-label").split(".")[0] for figure in figures]
    assert [start.split(",")[0] for start in starts] == [
        "Harmful responses against over-refusal",
        "Bars of every rate",
        "Forest plot of every set",
        "Heat map of attack success in percent",
        "Histograms of lengths in tokens",
    ]
    for figure in figures:
        boxes = driver.execute_script(
            "return [...arguments[0].querySelectorAll('svg path')].map(p => p.getBoundingClientRect())"
            ".filter(b => b.width + b.height > 0).length",
            figure,
        )
        assert boxes > 5
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    ids = driver.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    own = [one for one in ids if not re.match(r"[mp][0-9a-f]{8,}|DejaVu", one)]
    assert len(own) == len(set(own))


def test_each_filter_shows_what_it_says(
    browser: Browser, driver: Any, hostile: Path, rows: list[dict[str, Any]]
) -> None:
    opened(browser, hostile)
    offered = {
        "set": lambda row: {row["set"]},
        "scenario": lambda row: {row["scenario"]} - {""},
        "outcome": lambda row: {f"{run['run']}: {run['outcome']}" for run in row["runs"]},
        "judge": lambda row: {
            f"{run['run']}: {judge}: {said}" for run in row["runs"] for judge, said in run["judges"].items() if said
        },
        "verdict": lambda row: {f"{run['run']}: {run['verdict'] or 'none'}" for run in row["runs"]},
        "differ": lambda row: {name for name in ("runs_differ", "judges_differ") if row[name]},
    }
    for name, values in offered.items():
        select = Select(driver.find_element(By.ID, f"filter-{name}"))
        choices = [option.get_attribute("value") for option in select.options]
        assert choices[0] == ""
        assert set(choices[1:]) == set().union(*map(values, rows))
        for choice in choices[1:]:
            select.select_by_value(choice)
            expected = sum(choice in values(row) for row in rows)
            assert 0 < expected < len(rows)
            assert count(driver).startswith(f"{expected} of {len(rows)} prompts")
            assert len(driver.find_elements(By.CLASS_NAME, "sample")) == min(expected, 20)
        select.select_by_value("")
    text = driver.find_element(By.ID, "filter-text")
    text.send_keys("ANSWER 4")
    assert count(driver).startswith(f"1 of {len(rows)} prompts")


def test_answers_are_folded_until_clicked_and_nothing_in_them_runs(
    browser: Browser, driver: Any, hostile: Path
) -> None:
    assert opened(browser, hostile) == []
    sample = driver.find_element(By.CLASS_NAME, "sample")
    texts = sample.find_elements(By.TAG_NAME, "pre")
    assert len(texts) == 4  # thought and answer of two runs
    assert not any(text.is_displayed() for text in texts)
    assert driver.find_elements(By.CSS_SELECTOR, "details[open]") == []
    sample.find_element(By.TAG_NAME, "summary").click()
    assert [text.is_displayed() for text in texts] == [True, True, False, False]
    assert (texts[0].text, texts[1].text) == (f"{HOSTILE} thought 0", f"{HOSTILE} answer 0")
    assert driver.title == "AltTrain evaluation"
    assert driver.find_elements(By.CSS_SELECTOR, "#sample-list img, #sample-list script") == []
    assert driver.get_log("browser") == []


def test_a_sample_without_a_thought_says_so(
    browser: Browser, driver: Any, summary: dict[str, Any], tmp_path: Path
) -> None:
    cases: list[Any] = [
        ("harmful", "Sure."),
        ("harmful", "<think>\nHm.\n</think>\n\nSure."),
        ("harmful", "<think>\nHm"),
    ]
    write_report(tmp_path / "report.html", Summary.model_validate(summary), scored("base", cases))
    opened(browser, tmp_path / "report.html")
    folds = [fold.text for fold in driver.find_elements(By.TAG_NAME, "summary")]
    assert folds == [
        "base: compliance (no thought)",
        "base: compliance (verdict in the thought: undetermined)",
        "base: truncated (verdict in the thought: undetermined)",
    ]
    select = Select(driver.find_element(By.ID, "filter-verdict"))
    assert [option.text for option in select.options] == ["all", "base: no thought", "base: undetermined"]
    select.select_by_value("base: no thought")
    assert count(driver).startswith("1 of 3 prompts")
