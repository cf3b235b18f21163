from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from axolotl_alttrain.eval.compare import compare_runs, load_runs, markdown
from axolotl_alttrain.eval.compare.comparison import RunOrigin
from axolotl_alttrain.eval.compare.comparison_tables import differences_table, notes, tables
from axolotl_alttrain.eval.report.tables.numbers import cell_text
from axolotl_alttrain.eval.stats.power import minimum_detectable_difference

from axolotl_alttrain.errors import AltTrainError

from .folders import FINE, NO, RIGHT, YES, folder, training


def test_all_checkpoints_against_the_shared_base(tmp_path: Path) -> None:
    result = compare_runs(load_runs(training(tmp_path)))
    assert result.reference == "base"
    assert result.origins["base"] == RunOrigin(folders=["cp30", "cp9", "cp20"], adapter=None, step=None)
    assert result.origins["cp9"] == RunOrigin(folders=["cp9"], adapter="out/run/checkpoint-9", step=9)
    assert result.trainings == {"out/run/": [(0, "base"), (9, "cp9"), (20, "cp20"), (30, "cp30")]}
    rates = {name: [found[m].count for m in found][:3] for name, found in result.runs.items()}
    assert rates == {"base": [12, 0, 4], "cp9": [8, 0, 4], "cp20": [3, 1, 3], "cp30": [0, 2, 3]}
    nine, twenty, thirty = result.pairs
    assert [pair.second for pair in result.pairs] == ["cp9", "cp20", "cp30"]
    assert (nine.shared, nine.left_out) == (20, 0)

    one = nine.metrics["harmful_response"]
    assert (one.pairs, one.gained, one.lost) == (12, 0, 4)
    assert (one.difference, one.p_value) == (pytest.approx(-1 / 3), 0.125)
    assert (one.low, one.high) == (pytest.approx(-7 / 12), pytest.approx(-1 / 12))
    assert thirty.metrics["harmful_response"].p_value == pytest.approx(2 / 2**12)
    # Holm over nine tests: 2/4096 times 9, then 2/512 times 8, then 0.125 times 7; the rest is 1 anyway.
    adjusted = [pair.metrics["harmful_response"].p_holm for pair in (thirty, twenty, nine)]
    assert adjusted == pytest.approx([9 * 2 / 2**12, 8 * 2 / 2**9, 7 / 8])
    assert thirty.metrics["over_refusal"].p_holm == 1
    assert "p_holm" not in thirty.metrics["structure"].model_dump(exclude_unset=True)
    assert nine.minimum_detectable["harmful_response"] == minimum_detectable_difference(12, 4 / 12)


def test_one_set_is_not_tested_twice_and_two_say_how_p_is_adjusted(tmp_path: Path) -> None:
    pair = compare_runs(load_runs(training(tmp_path))).pairs[0]
    (harmful, *others) = pair.by_set
    two = pair.model_copy(update={"by_set": [harmful, harmful.model_copy(update={"set": "other"}), *others]})
    labels = [[row[0] for row in differences_table(one).rows][:4] for one in (pair, two)]
    rest = ["over-refusal, all (s)", "capability accuracy, all (s)", "structure followed, all"]
    assert labels == [
        ["harmful responses, all (s)", *rest],
        ["harmful responses, all", "harmful responses, s", "harmful responses, other", rest[0]],
    ]
    assert differences_table(two).notes == (
        "p (Holm): rows over all sets are adjusted over the outcomes of all compared runs, rows of a single set over "
        "the sets and outcomes of this run.",
    )


def test_rates_are_of_the_answers_that_all_runs_have(tmp_path: Path) -> None:
    """The same model on all prompts, and on those without its mistakes: one rate, not two."""
    full = folder(tmp_path / "full", {"base": [YES] * 3 + [NO] * 9 + [FINE] * 4})
    part = folder(tmp_path / "part", {"base": [YES] * 3 + [NO] * 9 + [FINE] * 4})
    rows = (part / "scored.jsonl").read_text().splitlines(keepends=True)
    (part / "scored.jsonl").write_text("".join(rows[3:]))
    result = compare_runs(load_runs([full, part]))
    assert (result.prompts, result.left_out) == (13, {"full": 3, "part": 0})
    rates = [result.runs[name]["harmful_response"] for name in ("full", "part")]
    assert [(rate.count, rate.total) for rate in rates] == [(0, 9), (0, 9)]
    table = tables(result)[0]
    assert table.title == "Rates over the 13 answers that all runs have, with n"
    assert (table.columns[-1].title, [row[-1] for row in table.rows]) == ("answers left out", ["3", "0"])
    assert cell_text(table.rows[0][1]).endswith("], 9")
    assert "answers left out" in markdown(result)


def test_runs_that_share_nothing_in_common_are_refused(tmp_path: Path) -> None:
    runs = load_runs([folder(tmp_path / name, {"base": [YES, NO]}) for name in "abc"])
    rows = {run.name: run.rows for run in runs}
    assert list(rows) == ["base"]  # one and the same
    a, b, c = (replace(runs[0], name=name) for name in "abc")
    b, c = replace(b, rows=b.rows[:1]), replace(c, rows=c.rows[1:])
    with pytest.raises(AltTrainError, match="no prompt was asked in all of a, b, c"):
        compare_runs([a, b, c])


def test_an_unknown_setting_cannot_be_ignored(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match="--ignore: found seeed; allowed: max_new_tokens, do_sample, judges"):
        compare_runs(load_runs(training(tmp_path)), ["seeed"])


def test_what_else_differs_is_said(tmp_path: Path) -> None:
    folders = [folder(tmp_path / "a", {"base": [YES]}), folder(tmp_path / "b", {"base": [NO]})]
    for path, template, version in zip(folders, "tu", ("1", "2"), strict=True):
        manifest = {"runs": {"base": {"model": path.name, "template": template}}, "sets": {"s": version}}
        (path / "manifest.json").write_text(json.dumps(manifest))
    result = compare_runs(load_runs(folders))
    assert result.pairs[0].also_differing == {"template": ("t", "u"), "revision of s": ("1", "2")}
    said = "b and a also differ in: template, u and t; revision of s, 2 and 1."
    assert notes(result)[2:] == [said]
    assert said in markdown(result)


def test_flips_say_what_became_what(tmp_path: Path) -> None:
    _, twenty, _ = compare_runs(load_runs(training(tmp_path))).pairs
    flips = [(f.metric, f.id, *f.outcomes, f.now, f.direction) for f in twenty.flips]
    assert flips == [
        *(("harmful_response", str(i), "compliance", "refusal", False, "better") for i in range(9)),
        ("over_refusal", "12", "compliance", "refusal", True, "worse"),
        ("capability", "16", "right", "wrong", False, "worse"),
    ]


def test_a_reference_can_be_chosen(tmp_path: Path) -> None:
    runs = load_runs(training(tmp_path))
    result = compare_runs(runs, reference="cp20")
    assert [(pair.first, pair.second) for pair in result.pairs] == [
        ("cp20", "base"),
        ("cp20", "cp9"),
        ("cp20", "cp30"),
    ]
    assert result.pairs[0].metrics["harmful_response"].difference == 9 / 12
    with pytest.raises(AltTrainError, match="--reference: found cp21; allowed: base, cp9, cp20, cp30"):
        compare_runs(runs, reference="cp21")


def test_graded_sets_stand_in_the_tables(tmp_path: Path) -> None:
    def graded(path: Path, values: list[float]) -> Path:
        made = folder(path, {"base": [RIGHT] * len(values)})
        rows = [json.loads(line) for line in (made / "scored.jsonl").read_text().splitlines()]
        rows = [row | {"kind": "graded", "right": None, "metrics": {}, "graded": ["rougeL", v]}
                for row, v in zip(rows, values, strict=True)]  # fmt: skip
        (made / "scored.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (made / "manifest.json").write_text(json.dumps({"runs": {"base": {"model": path.name}}}))
        return made

    runs = load_runs([graded(tmp_path / "a", [0.5] * 4), graded(tmp_path / "b", [0.25] * 4)])
    _, table = tables(compare_runs(runs))
    assert table.columns[4].title == "p (permutation)"
    rows = [[cell_text(cell) for cell in row] for row in table.rows]
    assert rows == [["rougeL, s", "4", "-25.0 [-25.0, -25.0]", "0, 4", "0.125", "0.125", ""]]


def test_an_id_cannot_break_the_markdown(tmp_path: Path) -> None:
    result = compare_runs(load_runs(training(tmp_path)))
    flip = result.pairs[0].flips[0].model_copy(update={"id": "a|b <script>"})
    result = result.model_copy(update={"pairs": [result.pairs[0].model_copy(update={"flips": [flip]})]})
    assert "| s | a\\|b &lt;script> | compliance" in markdown(result)
