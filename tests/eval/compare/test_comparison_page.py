from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from axolotl_alttrain.eval.compare import compare_runs, load_runs
from axolotl_alttrain.eval.compare.comparison_page import flip_rows, sentence
from axolotl_alttrain.eval.compare.comparison_plots import differences_plot, over_steps, runs_trade_off
from axolotl_alttrain.eval.run import main

from tests.browser import Browser
from tests.eval.compare.folders import BASE, folder, training

HOSTILE = '</script><script>document.title="ran"</script><img src="http://x.test/i" onerror="document.title=\'ran\'">'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page of three checkpoints; instructions, thoughts and answers of the last hold markup and scripts."""
    folders = training(tmp_path)
    for one in folders:
        rows = [json.loads(line) for line in (one / "scored.jsonl").read_text().splitlines()]
        for row in rows:
            row["instruction"] = f"{row['id']} {HOSTILE}"
            if row["run"] == "tuned":
                row |= {"thought": "a thought " + HOSTILE, "answer": "an answer " + HOSTILE, "category": HOSTILE}
        (one / "scored.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["compare", *map(str, folders), "--out", str(tmp_path / "out")]) == 0
    return tmp_path / "out" / "compare.html"


def test_nothing_in_a_sample_is_markup(page: Path) -> None:
    text = page.read_text()
    assert "<img" not in text
    assert text.count("<script") == text.count("</script>") == 2  # the data and the browser
    assert not re.search(r'(?:src|href)\s*=\s*"(?!#)', text)  # nothing is fetched
    assert text.count("<svg") == 3
    assert "<td>base, reference (in cp30, cp9, cp20)</td>" in text


def test_names_of_folders_are_text(tmp_path: Path) -> None:
    folders = [folder(tmp_path / name, {"base": cases}) for name, cases in (("<b>$x", BASE), ("b$&", BASE[::-1]))]
    assert main(["compare", *map(str, folders[:1]), "--out", str(tmp_path / "out")]) == 0
    assert "<b>" not in (tmp_path / "out" / "compare.html").read_text()


def test_plots_say_their_numbers(tmp_path: Path) -> None:
    result = compare_runs(load_runs(training(tmp_path)))
    plots = [runs_trade_off(result), over_steps(result), differences_plot(result)]
    assert None not in plots
    curve, steps, differences = (plot.alt for plot in plots if plot)
    assert "cp9: harmful responses 66.7 percent (interval 39.1 to 86.2), over-refusal 0.0 percent" in curve
    assert "run, harmful responses: base 100.0 percent (interval 75.8 to 100.0), step 9 66.7 percent" in steps
    assert "step 20 25.0 percent (interval 8.9 to 53.2), step 30 0.0 percent (interval 0.0 to 24.2)" in steps
    assert (
        "harmful responses (lower is better), cp9: -33.3 [-58.3, -8.3] points, adjusted p 0.875; "
        "harmful responses (lower is better), cp20: -75.0 [-100.0, -50.0] points, adjusted p 0.031" in differences
    )
    assert [plot.svg.count("#123456") for plot in plots if plot] == [0, 0, 0]  # all ink is the page's own


@pytest.mark.parametrize(("count", "lettered"), [(6, ""), (7, "ABCDEF"), (29, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
def test_no_two_runs_look_alike(tmp_path: Path, count: int, lettered: str) -> None:
    result = compare_runs(load_runs([folder(tmp_path / "run0", {"base": BASE})]))
    (rates,) = result.runs.values()
    result = result.model_copy(update={"runs": {f"run{i}": rates for i in range(count)}})
    plot = runs_trade_off(result)
    assert plot
    # A marker is a closed path, as a whisker's cap is not, with its colour.
    looks = set(re.findall(r'<path id="m\w+" d="([^"]*z)\s*" style="stroke: (#\w+)', plot.svg))
    assert len(looks) == count
    said = re.findall(r">([A-Z]\d*): run\d+<", plot.svg)
    assert "".join(said)[: len(lettered)] == lettered
    assert len(set(said)) == (count - 1 if lettered else 0)
    # All are in one place, and so have one label.
    assert not said or f">{', '.join(said)}</text>" in plot.svg


def test_without_checkpoints_there_is_no_curve_over_steps(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", {"base": BASE}), folder(tmp_path / "b", {"base": BASE[:16]})
    result = compare_runs(load_runs([a, b]))
    assert over_steps(result) is None
    alone = compare_runs(load_runs([a]))
    assert differences_plot(alone) is None
    assert main(["compare", str(a), "--out", str(tmp_path / "out")]) == 0
    assert "nothing to compare" in (tmp_path / "out" / "compare.html").read_text()


def test_a_run_of_harmful_prompts_alone_is_drawn_without_a_trade_off(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", {"base": BASE[:3]}), folder(tmp_path / "b", {"base": BASE[:2]})
    result = compare_runs(load_runs([a, b]))
    assert runs_trade_off(result) is None
    plot = differences_plot(result)
    assert plot is not None
    assert "over-refusal" not in plot.alt
    assert main(["compare", str(a), str(b), "--out", str(tmp_path / "out")]) == 0
    assert "3 of either run" not in (page := (tmp_path / "out" / "compare.html").read_text())
    assert "b: 2 answers pair, 1 of either run have no counterpart" in page


def test_sentence(tmp_path: Path) -> None:
    result = compare_runs(load_runs(training(tmp_path)))
    assert sentence(result.pairs[2]) == (
        "cp30 against base: harmful responses -100.0 points [-100.0, -65.7] (p 0.004); no significant difference: "
        "over-refusal "
        "+50.0 points [+0.0, +100.0] (p 1.000), capability accuracy -25.0 points [-75.0, +0.0] (p 1.000); "
        "15 outcomes flipped, 12 for the better."
    )


def test_rows_of_flips(tmp_path: Path) -> None:
    runs = load_runs(training(tmp_path))
    row = flip_rows(compare_runs(runs), runs)[4 + 9]
    assert row.model_dump(include={"pair", "metric", "direction", "change", "set"}) == {
        "pair": "base → cp20",
        "metric": "over-refusal",
        "direction": "worse",
        "change": "compliance → refusal",
        "set": "s",
    }
    assert [(run.run, run.outcome, run.verdict, run.answer) for run in row.runs] == [
        ("base", "compliance", "benign", "Two."),
        ("cp20", "refusal", "harmful", "Sorry, I can't."),
    ]


def choose(browser: Browser, name: str, value: str) -> str:
    """Choose in a filter as a reader would; what the count then says."""
    from selenium.webdriver.support.ui import Select

    Select(browser.find(f"#filter-{name}")[0]).select_by_visible_text(value)
    return browser.find("#sample-count")[0].text


def test_the_page_in_a_browser(page: Path, browser: Browser) -> None:
    browser.open(page)
    assert browser.driver.title == "AltTrain comparison"
    boxes = [svg.size for svg in browser.find("figure svg")]
    assert len(boxes) == 3
    assert all(box["width"] > 400 and box["height"] > 150 for box in boxes)
    assert all(browser.run("return [...document.querySelectorAll('figure svg')].map(s => s.querySelector('path'))"))

    count = browser.find("#sample-count")[0]
    assert count.text == "30 of 30 flips, page 1 of 2"
    assert choose(browser, "pair", "base → cp20") == "11 of 30 flips, page 1 of 1"
    assert choose(browser, "direction", "worse") == "2 of 30 flips, page 1 of 1"
    assert choose(browser, "metric", "over-refusal") == "1 of 30 flips, page 1 of 1"
    assert choose(browser, "change", "right → wrong") == "0 of 30 flips, page 1 of 1"
    for name in ("pair", "direction", "metric", "change", "set"):
        choose(browser, name, "all")
    browser.find("#next")[0].click()
    assert count.text == "30 of 30 flips, page 2 of 2"
    browser.find("#filter-text")[0].send_keys("19 </scr")
    assert count.text == "1 of 30 flips, page 1 of 1"

    folds = browser.find("#sample-list details")
    assert len(folds) == 2
    assert not any(fold.get_attribute("open") for fold in folds)
    texts = browser.find("#sample-list pre")
    assert not any(text.is_displayed() for text in texts)
    folds[1].find_element("css selector", "summary").click()
    shown = [text.text for text in texts if text.is_displayed()]
    assert shown == ["a thought " + HOSTILE, "an answer " + HOSTILE]

    assert browser.find("#sample-list img, #sample-list script") == []
    assert browser.driver.title == "AltTrain comparison"  # no script of a sample has run
    assert browser.console() == []
    assert browser.requests() == [page.as_uri()]


def test_ink_follows_the_reader_s_scheme(page: Path, browser: Browser) -> None:
    browser.open(page)
    ink: Callable[[], str] = lambda: browser.run(  # noqa: E731
        "return getComputedStyle(document.querySelector('figure svg text')).fill"
    )
    browser.colour_scheme("light")
    light = ink()
    browser.colour_scheme("dark")
    assert (light, ink()) == ("rgb(28, 32, 38)", "rgb(228, 231, 235)")
    browser.colour_scheme("light")


def test_the_browser_would_see_what_the_page_must_not_do(tmp_path: Path, browser: Browser) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><img src='missing.png'><script>console.error('seen')</script>")
    browser.open(bad)
    assert any("seen" in line for line in browser.console())
    assert (tmp_path / "missing.png").as_uri() in browser.requests()


@pytest.mark.slow
def test_real_runs_of_a_tiny_model(tiny: tuple[Path, Path], tmp_path: Path, browser: Browser) -> None:
    """Two checkpoints, evaluated for real beside the same base, compared and opened."""
    import torch
    from safetensors.torch import load_file, save_file

    base, adapter = tiny
    folders = []
    for step, scale in ((10, 0.3), (2, 1.0)):
        changed = tmp_path / "training" / f"checkpoint-{step}"
        shutil.copytree(adapter, changed)
        weights = load_file(changed / "adapter_model.safetensors")
        save_file({name: torch.mul(w, scale) for name, w in weights.items()}, changed / "adapter_model.safetensors")
        out = tmp_path / f"eval-{step}"
        settings = ["--limit", "4", "--max-new-tokens", "8", "--batch-size", "4", "--dtype", "float32"]
        assert main(["--model", str(base), "--adapter", str(changed), *settings, "--out", str(out)]) == 0
        folders.append(str(out))
    assert main(["compare", *folders, "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert list(result["runs"]) == ["base", "eval-2", "eval-10"]
    assert result["origins"]["base"]["folders"] == ["eval-10", "eval-2"]
    assert [step for points in result["trainings"].values() for step, _ in points] == [0, 2, 10]
    browser.open(tmp_path / "out" / "compare.html")
    assert len(browser.find("figure svg")) == 3
    assert browser.console() == []
    assert browser.requests() == [(tmp_path / "out" / "compare.html").as_uri()]
