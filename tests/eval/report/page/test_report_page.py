from __future__ import annotations

import base64
import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.judges import Case, Judgement, RefusalJudge
from axolotl_alttrain.eval.prompts.probes import PROBE_SETS, load_sets
from axolotl_alttrain.eval.report import write_report
from axolotl_alttrain.eval.report.page.browser import BrowserRow, browser_rows
from axolotl_alttrain.eval.report.page.packing import packed
from axolotl_alttrain.eval.report.plots.attacks_plot import attacks
from axolotl_alttrain.eval.report.plots.sets_plot import by_set
from axolotl_alttrain.eval.report.plots.summary_trade_off import summary_trade_off
from axolotl_alttrain.eval.report.plots.tokens_plot import tokens
from axolotl_alttrain.eval.report.tables import as_html, as_markdown, as_terminal
from axolotl_alttrain.eval.report.tables.summary_tables import sets_table
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import Scored

from tests.eval.scoring.test_metrics import CASES, scored

RATE = {"count": 1, "total": 4, "value": 0.25, "low": 0.05, "high": 0.7}
HOSTILE = "</title><script>x</script><img src=x>"


def small(**changes: Any) -> Summary:
    """A summary with what these tests look at."""
    about = {"version": "1", "finished": "today", "model": "m", "settings": {}, "sets": {}, "judges": ["refusal"]}
    runs = {run: {"metrics": {}, "by_set": {}} | one for run, one in changes.pop("runs").items()}
    return Summary.model_validate(about | {"runs": runs} | changes)


def row(i: int, words: list[str], length: int) -> BrowserRow:
    draw = random.Random(i)
    runs = [
        {
            "run": run,
            "outcome": "refusal",
            "verdict": "harmful",
            "judges": {"refusal": "refusal"},
            "thought": " ".join(draw.choices(words, k=length)),
            "answer": " ".join(draw.choices(words, k=length * 3 // 4)),
        }
        for run in ("base", "tuned")
    ]
    return BrowserRow.model_validate(
        {"set": "s", "scenario": "none", "kind": "harmful", "category": "c", "instruction": f"{i}?", "runs": runs}
    )


def vocabulary() -> list[str]:
    """Words as often as they stand in the probes; texts drawn from them at random pack worse than sentences do."""
    return [word for prompt in load_sets(PROBE_SETS) for word in prompt.instruction.split()]


def unpacked(text: str) -> list[dict[str, Any]]:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_no_text_closes_the_script_element() -> None:
    rows = [row(0, ["</script>"], 3)]
    text = packed(rows).text
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert unpacked(text) == [one.model_dump(mode="json", exclude_unset=True) for one in rows]


def test_packing_loses_nothing_where_it_fits() -> None:
    rows = [row(i, vocabulary(), 20) for i in range(5)]
    found = packed(rows)
    assert (unpacked(found.text), found.cap) == (
        [one.model_dump(mode="json", exclude_unset=True) for one in rows],
        None,
    )


def test_texts_are_cut_where_the_limit_asks_for_it() -> None:
    rows = [row(i, vocabulary(), 400) for i in range(5)]
    found = packed(rows, limit=9_000)
    assert found.cap == 500
    assert len(found.text) <= 9_000
    thought = unpacked(found.text)[0]["runs"][0]["thought"]
    assert thought == (rows[0].runs[0].thought or "")[:500] + " […]"


def test_the_first_rows_stay_where_cutting_is_not_enough() -> None:
    words = vocabulary()
    rows = [row(i, words, 40) for i in range(2500)]
    found = packed(rows, limit=50_000)
    assert (found.cap, found.total) == (200, 2500)
    assert 40_000 < len(found.text) <= 50_000
    shown = unpacked(found.text)
    assert len(shown) == found.rows < 2500
    assert [one["instruction"] for one in shown] == [one.instruction for one in rows[: found.rows]]


def test_the_page_of_2000_samples_is_under_5_mb(summary: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> None:
    words = vocabulary()
    rows = [row(i, words, 200) for i in range(2000)]
    monkeypatch.setattr("axolotl_alttrain.eval.report.page.report_page.browser_rows", lambda scored: rows)
    path = tmp_path / "report.html"
    write_report(path, Summary.model_validate(summary), [])
    assert path.stat().st_size < 5_000_000
    # The samples are all there.
    found = re.search(r'id="samples">([^<]*)<', path.read_text())
    assert found
    assert len(unpacked(found[1])) == 2000


def test_names_are_escaped_and_dollars_are_no_formulas(summary: dict[str, Any], tmp_path: Path) -> None:
    summary |= {"model": HOSTILE, "base_model": None, "adapter": HOSTILE, "missing": {HOSTILE: HOSTILE}}
    summary["sets"] = {HOSTILE + "$a$" if name == "probe-benign" else name: n for name, n in summary["sets"].items()}
    for run in summary["runs"].values():
        run["by_set"][HOSTILE + "$a$"] = run["by_set"].pop("probe-benign")
    write_report(tmp_path / "report.html", Summary.model_validate(summary), [])
    page = (tmp_path / "report.html").read_text()
    assert "<img" not in page
    assert "<script>x" not in page
    assert "$a$ (n=3)" in page


def test_outcomes_are_said_by_the_judge_that_makes_the_rate() -> None:
    class Guard(RefusalJudge):
        """Calls everything safe, as a guard calls refusals and harmless answers alike."""

        name, detects_refusal = "guard", False

        def judge(self, cases: Sequence[Case]) -> Iterator[tuple[int, Judgement]]:
            yield from ((place, Judgement("safe")) for place in range(len(cases)))

    cases: list[Any] = [("benign", "Two."), ("harmful", "No."), ("harmful", "<think>\nWell"), ("benign", "<think>\nIt")]
    cases.append(("graded", "A summary."))  # no guard reads it; it is not cut off for that
    said = [one.outcome for one in scored("base", cases, [Guard(), RefusalJudge()])]
    assert said == ["compliance", "safe", "truncated", "truncated", "not judged"]
    both = [
        scored(run, [("benign", text)], [Guard(), RefusalJudge()])[0]
        for run, text in (("base", "Two."), ("tuned", "Sorry, I can't."))
    ]
    (shown,) = browser_rows(both)
    assert [run.outcome for run in shown.runs] == ["compliance", "refusal"]
    assert shown.runs_differ
    assert [one.as_row().outcome for one in both] == ["compliance", "refusal"]


def test_n_is_the_number_of_samples_in_every_table() -> None:
    """Two prompts, asked twice each: the rates are over four, in the terminal and in results.md as in the plots."""
    entry = {"kind": "capability", "measure": "accuracy", "rate": RATE}
    summary = small(runs={"base": {"by_set": {"sums": entry}}}, sets={"sums": 2})
    table = sets_table(summary)
    assert as_markdown(table) == (
        "| set | measure | n | base, % |\n| :-- | :-- | --: | --: |\n| sums | accuracy | 4 | 25.0 \\[5.0, 70.0\\] |\n"
    )
    assert '<td>sums</td><td>accuracy</td><td class="n">4</td><td class="n">25.0 [5.0, 70.0]</td>' in as_html(table)
    cells = [str(next(iter(column.cells))) for column in as_terminal(table).columns]
    assert cells == ["sums", "accuracy", "4", " 25.0  [ 5.0,  70.0]"]
    assert "sums (n=4)" in by_set(summary).svg


def test_pooled_differences_have_unit_and_interval(summary: dict[str, Any], tmp_path: Path) -> None:
    test = {
        "pairs": 9,
        "gained": 0,
        "lost": 8,
        "difference": -0.8,
        "low": -0.87,
        "high": -0.72,
        "p_value": 0.0004,
        "test": "mcnemar",
    }
    summary["comparison"] = dict.fromkeys(summary["comparison"], test)
    write_report(tmp_path / "report.html", Summary.model_validate(summary), [])
    page = (tmp_path / "report.html").read_text()
    assert '<th class="n">tuned − base, points</th><th class="n">p (McNemar)</th>' in page
    assert '<td class="n">-80.0 [-87.0, -72.0]</td><td class="n">&lt; 0.001</td>' in page


def test_the_papers_points_are_named_as_the_papers(summary: dict[str, Any]) -> None:
    without = summary_trade_off(Summary.model_validate(summary))
    assert without
    assert "paper: " not in without.svg
    assert without.caption.endswith("The paper reports no numbers for this model.")
    points = [{"training": "none", "harmful": 83.5, "over_refusal": 0.4}]
    summary["paper"] = {"backbone": "R1-8B", "source": "arXiv 2604.18946", "results": points}
    drawn = summary_trade_off(Summary.model_validate(summary))
    assert drawn
    assert "paper: R1-8B, no training" in drawn.svg
    assert "the paper's R1-8B, no training: harmful 83.5 percent, over-refusal 0.4 percent" in drawn.alt
    assert "The paper used other sets and other judges" in drawn.caption


def test_forest_groups_sets_by_measure() -> None:
    results = {
        "sums": {"kind": "capability", "measure": "accuracy", "rate": RATE},
        "news": {"kind": "graded", "measure": "rougeL", "rate": RATE | {"count": None, "value": 0.125}},
        "bad": {"kind": "harmful", "measure": "harmful_response", "rate": RATE},
    }
    counts = {"pairs": 4, "gained": 0, "lost": 1, "p_value": 0.04}
    test = {
        "metric": "capability",
        "set": "sums",
        **counts,
        "difference": -0.25,
        "low": -0.5,
        "high": 0.0,
        "p_holm": 0.04,
    }
    runs = {run: {"by_set": results} for run in ("base", "tuned")}
    plot = by_set(small(runs=runs, sets=dict.fromkeys(results, 4), comparison_by_set=[test]))
    rate = "25.0 percent (interval 5.0 to 70.0)"
    assert plot.alt == (
        f"Forest plot of every set. bad, harmful responses: base {rate}, tuned {rate}; "
        f"sums, accuracy: base {rate}, tuned {rate}, difference -25.0 points, adjusted p 0.040; "
        "news, rougeL: base 12.5 percent (interval 5.0 to 70.0), tuned 12.5 percent (interval 5.0 to 70.0)."
    )
    assert [text for text in ("accuracy (higher", "rougeL, mean", "0.040") if text not in plot.svg] == []


def test_heat_map_shows_every_cell_and_needs_two_scenarios() -> None:
    cells = {"bad": {"none": RATE, "role-play": RATE | {"value": 0.75}}, "worse": {"none": RATE}}
    summary = small(runs={"base": {"by_attack": cells}})
    plot = attacks(summary)
    assert plot
    assert plot.alt == (
        "Heat map of attack success in percent. base, bad: none 25, role-play 75; base, worse: none 25."
    )
    assert plot.caption.endswith("Samples in a cell: 4.")
    assert (plot.svg.count(">25<"), plot.svg.count(">75<")) == (2, 1)
    assert "<image" not in plot.svg
    assert attacks(small(runs={"base": {"by_attack": {"bad": {"none": RATE}}}})) is None


def test_lengths_are_told_by_kind_part_and_run() -> None:
    rows: list[Scored] = scored("base", CASES[5:7])
    plot = tokens(small(runs={"base": {}}, lengths_in="words"), [s.as_row() for s in rows])
    assert plot
    assert plot.alt == (
        "Histograms of lengths in words. benign, thought, base: median 12, from 10 to 14; "
        "benign, answer, base: median 2, from 1 to 3."
    )
