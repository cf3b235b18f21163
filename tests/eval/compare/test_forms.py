"""Runs that measure one adapter in several forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.compare import check_pairs, load_runs
from axolotl_alttrain.eval.compare.comparison_page import sentence, write_page
from axolotl_alttrain.eval.compare.comparison_plots import differences_plot, over_steps, runs_trade_off
from axolotl_alttrain.eval.compare.comparison_tables import markdown, notes, tables
from axolotl_alttrain.eval.compare.differences import compare_runs

from axolotl_alttrain.errors import AltTrainError

from .folders import BASE, FINE, NO, OVER, RIGHT, YES, folder

AS_TRAINED = "adapter on the NF4 base it was trained on"
FULL = "adapter on the unquantised base, not the NF4 base it was trained on"
EXPORTED = "exported model, adapter merged into the dequantised base it was trained on (NF4), saved in bfloat16"
SAFER = [NO] * 10 + [YES] * 2 + [FINE] * 4 + [RIGHT] * 4
STRICT = [NO] * 12 + [OVER] * 3 + [FINE] + [RIGHT] * 4


def form(kind: str, words: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "words": words, "details": details}


def as_trained(path: Path, adapter: str = "out/a") -> Path:
    weights = {"base": form("base", "base in NF4"), "tuned": form("as-trained", AS_TRAINED, trained_on="NF4")}
    return folder(path, {"base": BASE, "tuned": SAFER}, adapter, weights=weights, load_in_4bit=True)


def full_precision(path: Path, adapter: str = "out/a") -> Path:
    weights = {"base": form("base", "unquantised base"), "tuned": form("full-precision", FULL, trained_on="NF4")}
    return folder(path, {"base": BASE, "tuned": STRICT}, adapter, weights=weights, load_in_4bit=False)


def exported(path: Path, adapter: str = "out/a") -> Path:
    tuned = form("exported", EXPORTED, trained_on="NF4", adapter=adapter)
    weights = {"base": form("base", "unquantised base"), "tuned": tuned}
    return folder(path, {"base": BASE, "tuned": SAFER}, None, weights=weights, load_in_4bit=False)


def test_forms_of_one_adapter_pair_and_give_the_runs_their_names(tmp_path: Path) -> None:
    runs = load_runs([full_precision(tmp_path / "x"), as_trained(tmp_path / "y"), exported(tmp_path / "z")])
    assert [run.name for run in runs] == [
        "unquantised base",
        "full-precision",
        "base in NF4",
        "as-trained",
        "exported",
    ]
    assert runs[0].folders == ("x", "z")
    result = compare_runs(runs)
    assert result.reference == "as-trained"
    assert [pair.second for pair in result.pairs] == ["unquantised base", "full-precision", "base in NF4", "exported"]
    by_name = {pair.second: pair for pair in result.pairs}
    assert by_name["exported"].flips == []
    assert by_name["full-precision"].metrics["over_refusal"].difference == pytest.approx(3 / 4)
    assert notes(result)[0] == (
        f"Weights: unquantised base: unquantised base; full-precision: {FULL}; base in NF4: base in NF4; as-trained: "
        f"{AS_TRAINED}; exported: {EXPORTED}."
    )
    assert result.not_compared == {}
    assert tables(result)[-1].title == "exported against as-trained"


def test_page_tables_and_plots_use_the_names_of_the_forms(tmp_path: Path) -> None:
    runs = load_runs([as_trained(tmp_path / "x"), full_precision(tmp_path / "y")])
    result = compare_runs(runs)
    assert sentence(result.pairs[-1]).startswith("full-precision against as-trained: ")
    plots = [plot for plot in (runs_trade_off(result), differences_plot(result)) if plot]
    assert all("full-precision" in plot.alt and "as-trained" in plot.alt for plot in plots)
    assert "## full-precision against as-trained" in markdown(result)
    write_page(tmp_path / "compare.html", result, runs)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert f"as-trained: {AS_TRAINED}" in page
    assert "Not compared, of as-trained: exported (axolotl alttrain export)." in page
    assert "load_in_4bit" not in page  # it is not a setting that they share


def test_one_form_keeps_the_names_of_the_folders_and_names_what_is_not_compared(tmp_path: Path) -> None:
    runs = load_runs([as_trained(tmp_path / "x", "out/a"), as_trained(tmp_path / "y", "out/b")])
    assert [run.name for run in runs] == ["base", "x", "y"]
    result = compare_runs(runs)
    assert result.reference == "base"
    assert notes(result)[:2] == [
        f"Weights: base: base in NF4; x, y: {AS_TRAINED}.",
        "Not compared, of x, y: exported (axolotl alttrain export); full-precision base (--weights full-precision).",
    ]


def test_forms_of_two_adapters_keep_both_names(tmp_path: Path) -> None:
    runs = load_runs([
        *(as_trained(tmp_path / name, f"out/{name}") for name in "ab"),
        *(full_precision(tmp_path / f"{name}-full", f"out/{name}") for name in "ab"),
    ])  # fmt: skip
    assert [run.name for run in runs] == [
        *("base in NF4", "a, as-trained", "b, as-trained"),
        *("unquantised base", "a-full, full-precision", "b-full, full-precision"),
    ]
    assert compare_runs(runs).reference == "a, as-trained"
    assert compare_runs(runs, reference="b, as-trained").reference == "b, as-trained"


def test_checkpoints_in_two_forms_are_two_lines(tmp_path: Path) -> None:
    makers = {"trained": as_trained, "full": full_precision}
    runs = load_runs([
        make(tmp_path / f"{name}-{step}", f"out/run/checkpoint-{step}") for name, make in makers.items()
        for step in (9, 20)
    ])  # fmt: skip
    result = compare_runs(runs)
    assert result.trainings == {
        "out/run/": [(0, "base in NF4"), (9, "trained-9, as-trained"), (20, "trained-20, as-trained")],
        "out/run, full-precision": [
            (0, "unquantised base"),
            (9, "full-9, full-precision"),
            (20, "full-20, full-precision"),
        ],
    }
    plot = over_steps(result)
    assert plot is not None
    assert "run, full-precision, over-refusal: unquantised base 0.0 percent" in plot.alt


def test_runs_without_a_form_are_read_and_called_so(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", {"base": BASE, "tuned": STRICT}, "out/a", load_in_4bit=True)
    new = as_trained(tmp_path / "new")
    result = compare_runs(load_runs([old, new]))
    assert notes(result)[0] == (
        f"Weights: base: base in NF4; old: weights not recorded; new: {AS_TRAINED}."  # of one base one run says it
    )
    other = full_precision(tmp_path / "full")
    with pytest.raises(AltTrainError, match="load_in_4bit is True and False"):
        check_pairs(load_runs([old])[1], load_runs([other])[1])


def test_other_settings_still_do_not_pair(tmp_path: Path) -> None:
    weights = {"tuned": form("exported", EXPORTED, trained_on="NF4", adapter="out/a")}
    short = folder(tmp_path / "short", {"tuned": SAFER}, None, weights=weights, max_new_tokens=13)
    with pytest.raises(AltTrainError, match="max_new_tokens is 12 and 13"):
        check_pairs(load_runs([as_trained(tmp_path / "x")])[1], load_runs([short])[0])
