"""Every set of the paper, and every attack, in one run on local files and a tiny model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.prompts.attacks import ATTACKS
from axolotl_alttrain.eval.prompts.sets import Suite, suites
from axolotl_alttrain.eval.report.tables.summary_tables import repeats_table
from axolotl_alttrain.eval.results.summary import read_summary
from axolotl_alttrain.eval.run import main

from tests.eval.published import write_published


def run(tiny: tuple[Path, Path], out: Path, data: Path, *more: str, code: int = 0) -> dict[str, Any]:
    flags = f"--model {tiny[0]} --adapter {tiny[1]} --limit 2 --max-new-tokens 16 --dtype float32 --out {out}"
    assert main([*flags.split(), "--data-dir", str(data), *more]) == code
    return json.loads((out / "summary.json").read_text())


@pytest.mark.slow
def test_paper_suite(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    write_published(tmp_path / "data")
    summary = run(tiny, tmp_path / "out", tmp_path / "data", "--suite", "paper", "--allow-code-execution")
    assert summary["missing"] == {}
    assert summary["sets"] == dict.fromkeys(suites()["paper"].sets, 2)
    for one in summary["runs"].values():
        assert list(one["by_set"]) == suites()["paper"].sets
        assert one["by_set"]["cnn-dailymail"]["measure"] == "rougeL"
        assert one["by_set"]["xstest-safe"]["measure"] == "over_refusal"
        assert {entry["rate"]["total"] for entry in one["by_set"].values() if "rate" in entry} == {2}
    turns = [json.loads(line) for line in (tmp_path / "out" / "samples.jsonl").read_text().splitlines()]
    asked = [s["turn"] for s in turns if s["set"] == "safemt-attack600" and s["run"] == "base"]
    assert asked == [0, 1, 2, 2]  # the two conversations share their first two turns, which are asked once
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert list(manifest["sets"]) == suites()["paper"].sets
    assert all(revision.startswith("sha256:") for revision in manifest["sets"].values())
    assert manifest["flags"]["suite"] == "paper"
    page = (tmp_path / "out" / "report.html").read_text()
    assert all(name in page for name in suites()["paper"].sets)


def test_missing_sets_and_attacks_are_reported(
    tiny: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_published(tmp_path / "data")
    (tmp_path / "data" / "xstest_prompts.csv").unlink()
    more = ("--sets", "strongreject", "multijail", "xstest-safe", "--attacks", *ATTACKS)
    summary = run(tiny, tmp_path / "out", tmp_path / "data", *more, code=3)
    assert set(summary["missing"]) == {"xstest-safe", "strongreject+translation"}
    printed = capsys.readouterr().out
    before, _, after = printed.partition(" prompts, 2 run(s)")  # what is missing is known before anything is asked
    assert re.findall(r"^missing: (\S+): ", before, re.MULTILINE) == ["xstest-safe", "strongreject+translation"]
    assert "Missing: not included in the results" in after
    assert "xstest-safe" in printed
    assert "Missing" in (tmp_path / "out" / "report.html").read_text()
    scenarios = summary["runs"]["base"]["by_scenario"]
    assert {name: rate["total"] for name, rate in scenarios.items()} == {
        **{name: 4 for name in ATTACKS if name not in ("translation", "best-of-n")},
        **{"best-of-n": 40, "best-of-n, 5 tries": 4, "best-of-n, 10 tries": 4},
        **{f"translation-{language}": 2 for language in ("bn", "sw", "jv")},
    }
    samples = [json.loads(line) for line in (tmp_path / "out" / "samples.jsonl").read_text().splitlines()]
    for sample in samples:
        assert sample["completion"].startswith(sample["prefill"])
        assert bool(sample["prefill"]) == (
            "+prefilled-" in sample["id"] or sample["id"].endswith("+thought-suppression")
        )


def test_code_that_may_not_run_is_reported_and_no_failure(
    tiny: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its suite runs without it; named by --sets it is missing."""
    suite = Suite("code beside a set of another kind", ["humaneval", "xstest-safe"])
    monkeypatch.setitem(suites(), "with-code", suite)
    write_published(tmp_path / "data")
    reason = "humaneval is scored by running the model's code; allow it with --allow-code-execution"
    for more, off, code in (((), ["humaneval"], 0), (("--sets", "humaneval"), [], 3)):
        summary = run(tiny, tmp_path / "out", tmp_path / "data", "--suite", "with-code", *more, code=code)
        assert (summary["missing"], summary["switched_off"]) == ({"humaneval": reason}, off)
        printed = capsys.readouterr()
        assert "Missing: not included in the results" in printed.out
        assert ("some of the requested sets" in printed.err) == (code == 3)
        for name in ("results.md", "report.html"):
            assert "humaneval" in (tmp_path / "out" / name).read_text()
    (tmp_path / "data" / "xstest_prompts.csv").unlink()
    more = ("--suite", "with-code", "--sets", "probe-benign")
    summary = run(tiny, tmp_path / "out", tmp_path / "data", *more, code=3)  # another set that is missing still counts
    assert set(summary["missing"]) == {"humaneval", "xstest-safe"}


def test_repeated_sampling(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    sets = ("--sets", "probe-harmful", "--temperature", "1", "--samples", "3", "--seed", "5")
    run(tiny, tmp_path / "a", tmp_path, *sets, "--batch-size", "1")
    run(tiny, tmp_path / "b", tmp_path, *sets, "--batch-size", "4")
    rows = [
        {s["key"]: s["completion"] for s in map(json.loads, (tmp_path / f / "samples.jsonl").read_text().splitlines())}
        for f in "ab"
    ]
    assert len(rows[0]) == 12  # two prompts, two runs, three samples, each under its own key
    assert rows[0] == rows[1]
    assert len(set(rows[0].values())) > 6
    table = repeats_table(read_summary(tmp_path / "a"))
    assert table
    assert table.columns[-1].heading == "worst of k, %"
    assert [row[:4] for row in table.rows] == [("harmful responses", run, "2", "3") for run in ("base", "tuned")]
    page = (tmp_path / "a" / "results.md").read_text()
    assert "## Repeated sampling\n" in page
    assert "Smallest detectable differences" in page
    assert main(["--sets", "probe-harmful", "--samples", "2", "--out", str(tmp_path / "c")]) == 1
