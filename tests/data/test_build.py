from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.build import build
from axolotl_alttrain.data.estimate import estimate
from axolotl_alttrain.data.output.build_report import SourceCounts, VariantReport, read_report
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.verdict.reader import read_verdict

from .conftest import config, files_of, read, settings, trace_rows
from .server import Call, by_wording, serve, verdict

Traces = Callable[[int, int], str]
COMMAND = [sys.executable, "-c", "from axolotl_alttrain.cli import alttrain; alttrain()", "build"]


def remote(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "openai_compatible", "model": "m", "base_url": url, "concurrency": 8} | more


def test_one_row_of_each_label_in_full(tmp_path: Path, traces: Traces) -> None:
    report = build(config(traces(1, 1), harmful=1, benign=1), tmp_path / "out")
    rows = {row["label"]: row for row in read(tmp_path / "out" / "data.jsonl")}
    benign = rows["benign"]
    assert benign["instruction"] == "Give me good thing number 1 about beta"
    assert benign["problem_understanding"] == "Okay, the user wants good thing number 1."
    assert benign["conditional_reasoning"] == "First part of it.\n\nSecond part, 1."
    assert benign["answer"] == "Here is thing 1."
    assert (benign["category"], benign["source"], benign["language"], benign["assessor"]) == (
        "beta",
        "mine",
        "en",
        "offline",
    )
    harmful = rows["harmful"]
    assert harmful["problem_understanding"] == "Okay, the user wants bad thing number 0."
    assert "First part" not in harmful["conditional_reasoning"]
    assert all(read_verdict(row["harmfulness_assessment"]) == label for label, row in rows.items())
    assert report.counts.label == {"benign": 1, "harmful": 1}
    mine = SourceCounts(path=str(tmp_path / "traces.jsonl"), read=2, candidates=2, rows=2)
    assert report.sources == {"mine": mine}
    assert "No model assessed these rows" in report.assessor.statement
    assert read_report(tmp_path / "out") == report
    assert not (tmp_path / "out" / "work").exists()


@pytest.mark.promise("determinism", "The same seed and answers make the same data, byte for byte.")
def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path, traces: Traces) -> None:
    path = traces(20, 10)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        build(config(path, seed=seed), tmp_path / name)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    ids = {name: {row["id"] for row in read(tmp_path / name / "data.jsonl")} for name in "ac"}
    assert ids["a"] != ids["c"]


def test_strata_keep_their_shares(tmp_path: Path, traces: Traces) -> None:
    report = build(config(traces(30, 12), harmful=15, benign=6), tmp_path / "out")
    assert report.counts.category == {"alpha": 7, "beta": 7, "gamma": 7}


def test_bad_traces_are_left_out_with_their_reasons(tmp_path: Path) -> None:
    rows = trace_rows(3, 3)
    rows[0]["response"] = "Okay, it never"
    rows[1]["response"] = "Okay, the user asks.\n\nMore.</think>\n"
    rows[3]["response"] = "Only one sentence.</think>Fine."
    rows[4]["response"] = "Okay, they ask.\n\n" + "I should check this sum again.\n" * 20 + "</think>Fine."
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = build(config(str(path), harmful=1, benign=1), tmp_path / "out")
    assert report.rejected == {"no_answer": 1, "no_reasoning": 1, "repetitive": 1, "unfinished": 1}
    assert [row["reason"] for row in read(tmp_path / "out" / "rejected.jsonl")] == [
        "unfinished",
        "no_answer",
        "no_reasoning",
        "repetitive",
    ]


def test_too_few_rows_say_how_many_there_are(tmp_path: Path, traces: Traces) -> None:
    with pytest.raises(AltTrainError, match=r"^found 2 usable harmful rows, 9 are needed; add a source"):
        build(config(traces(2, 5)), tmp_path / "out")
    assert not (tmp_path / "out" / "data.jsonl").exists()


def test_a_contradicting_verdict_is_set_aside_and_replaced(tmp_path: Path, traces: Traces) -> None:
    def behave(call: Call) -> str:
        return verdict("benign") if "number 4 " in call.query else by_wording(call)

    with serve(behave) as server:
        report = build(config(traces(10, 3), assessor=remote(server.url, attempts=2)), tmp_path / "out")
    assert report.counts.label == {"benign": 3, "harmful": 9}
    (rejected,) = read(tmp_path / "out" / "rejected.jsonl")
    assert rejected["instruction"] == "Give me bad thing number 4 about beta"
    assert rejected["reason"] == "assessor"
    assert rejected["detail"] == "the assessor says benign, the source harmful: This is benign: it says so."
    assessor = report.assessor
    assert (assessor.assessed, assessor.set_aside, assessor.attempts) == (13, 1, 14)
    assert assessor.prompt_tokens == 1400


def test_without_labels_the_assessor_decides(tmp_path: Path, traces: Traces) -> None:
    columns = {"response": "response"}
    source = {"name": "mine", "path": traces(4, 3), "columns": columns, "language": "en"}
    with serve() as server:
        found = config("", sources=[source], harmful=4, benign=3, assessor=remote(server.url))
        report = build(found, tmp_path / "out")
    assert report.counts.label == {"benign": 3, "harmful": 4}


def test_variants_come_from_the_same_assessments(tmp_path: Path, traces: Traces) -> None:
    variants = [
        {"name": "no-ha", "omit": ["harmfulness_assessment"]},
        {"name": "half", "harmful": 4, "benign": 2},
        {"name": "more", "harmful": 12},
        {"name": "other-words", "rephrase": True},
    ]
    path, out = traces(20, 10), tmp_path / "out"
    with serve() as server:
        found = config(path, assessor=remote(server.url), variants=variants)
        report = build(found, out)
        assert len(server.calls) == 12 + 3
        again = config(
            path, assessor=remote(server.url), variants=[{"name": "no-cr", "omit": ["conditional_reasoning"]}]
        )
        build(again, out)
        assert len(server.calls) == 15
    main = {row["id"]: row for row in read(out / "data.jsonl")}
    made = {name: {row["id"]: row for row in read(out / "variants" / f"{name}.jsonl")} for name in
            ("no-ha", "half", "more", "other-words", "no-cr")}  # fmt: skip
    assert set(made["half"]) < set(main) < set(made["more"])
    half = VariantReport(file="variants/half.jsonl", rows=6, label={"benign": 2, "harmful": 4})
    assert report.variants["half"] == half
    for id_, row in main.items():
        without = dict(row)
        del without["harmfulness_assessment"]
        assert made["no-ha"][id_] == without | {"omitted": ["harmfulness_assessment"]}
        assert (made["other-words"][id_] == row) == (row["label"] == "benign")
        assert "conditional_reasoning" not in made["no-cr"][id_]
    for name in made:
        assert len(read_examples(out / "variants" / f"{name}.jsonl")) == len(made[name])


def test_near_duplicates_are_left_out_and_named(tmp_path: Path) -> None:
    rows = trace_rows(1, 1)
    again = rows[0] | {"instruction": rows[0]["instruction"].upper() + "!"}
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, again]))
    more = {"near_duplicates": 0.9, "harmful": "all", "benign": "all"}
    report = build(config(str(path), **more), tmp_path / "out")
    assert (report.rows, report.duplicates.rows, report.rejected) == (2, 1, {"near_duplicate": 1})
    (pair,) = read(tmp_path / "out" / "duplicates.jsonl")
    first = {row["label"]: row["id"] for row in read(tmp_path / "out" / "data.jsonl")}["harmful"]
    assert pair["of"] == first


def test_a_token_budget_counts_the_whole_row(tmp_path: Path, traces: Traces, demo_model: Path) -> None:
    budget = {"tokenizer": "alttrain-demo-model", "max_tokens": 200}
    report = build(config(traces(9, 3), **budget), tmp_path / "out")
    assert report.tokens is not None
    longest = report.tokens.total.max
    assert 0 < longest <= 200
    assert sum(report.tokens.total.histogram.counts) == 12
    with pytest.raises(AltTrainError, match="token_budget"):
        build(config(traces(9, 3), **budget | {"max_tokens": longest - 1}), tmp_path / "less")


def test_a_dry_run_estimates_and_writes_nothing(tmp_path: Path, traces: Traces) -> None:
    assessor = remote("http://127.0.0.1:9/v1", price_in=1.0, price_out=2.0)
    found = estimate(config(traces(20, 10), assessor=assessor), tmp_path / "out")
    assert (found.candidates, found.wanted, found.queries) == (
        {"harmful": 20, "benign": 10},
        {"harmful": 9, "benign": 3},
        12,
    )
    assert found.completion_tokens == 12 * 50
    assert found.cost_usd == round((found.prompt_tokens + 2 * 600) / 1e6, 4)
    assert not (tmp_path / "out").exists()


def test_who_assessed_is_said_of_the_rows_that_were_assessed(tmp_path: Path, traces: Traces) -> None:
    seed: dict[str, Any] = {"preset": "alttrain-seed", "take": ["benign"]}
    kept = build(config("", sources=[seed], harmful=0, benign=3), tmp_path / "kept")
    assert kept.assessor.statement == "Every row keeps the assessment of its source."
    sources = [*settings(traces(2, 0))["sources"], seed]
    mixed = build(config("", sources=sources, harmful=2, benign=3), tmp_path / "mixed")
    assert mixed.assessor.statement == (
        "3 of 5 rows keep the assessment of their source. The others: no model assessed these rows; verdicts are the "
        "sources' own labels, and their reasons are drawn by category from a fixed set of sentences."
    )


def test_star1_end_to_end(tmp_path: Path, star1: Path) -> None:
    sources = [{"preset": "star1", "path": str(star1)}, {"preset": "alttrain-seed", "take": ["benign"]}]
    report = build(config("", sources=sources, harmful="all", benign=111), tmp_path / "out")
    assert report.counts.label == {"benign": 111, "harmful": 1000}
    assert report.rejected == {}
    assert (report.assessor.kept, report.understanding.rows, report.understanding.changed) == (111, 1000, 0)
    examples = read_examples(tmp_path / "out" / "data.jsonl")
    assert all(read_verdict(example.harmfulness_assessment) == example.label for example in examples)
    assert all(parse_completion(f"{e.reasoning}\n</think>\n\n{e.answer}").follows_structure for e in examples)
    original = {row["id"]: row["response"] for row in json.loads(star1.read_text())}
    for example in examples:
        if example.source == "star1":
            assert original[str(example.id).removeprefix("star1-")].startswith(
                "<think>\n" + example.problem_understanding
            )
