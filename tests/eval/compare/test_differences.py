from __future__ import annotations

from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from eval.compare import compare_runs, load_runs
from eval.power import minimum_detectable_difference

from .folders import training


def test_all_checkpoints_against_the_shared_base(tmp_path: Path) -> None:
    result = compare_runs(load_runs(training(tmp_path)))
    assert result["reference"] == "base"
    assert result["origins"]["base"] == {"folders": ["cp30", "cp9", "cp20"], "adapter": None, "step": None}
    assert result["origins"]["cp9"] == {"folders": ["cp9"], "adapter": "out/run/checkpoint-9", "step": 9}
    assert result["trainings"] == {"out/run/": [[0, "base"], [9, "cp9"], [20, "cp20"], [30, "cp30"]]}
    rates = {name: [found[m]["count"] for m in found][:3] for name, found in result["runs"].items()}
    assert rates == {"base": [12, 0, 4], "cp9": [8, 0, 4], "cp20": [3, 1, 3], "cp30": [0, 2, 3]}
    nine, twenty, thirty = result["pairs"]
    assert [pair["second"] for pair in result["pairs"]] == ["cp9", "cp20", "cp30"]
    assert (nine["shared"], nine["left_out"]) == (20, 0)

    one = nine["metrics"]["harmful_response"]
    assert (one["pairs"], one["gained"], one["lost"]) == (12, 0, 4)
    assert (one["difference"], one["p_value"]) == (pytest.approx(-1 / 3), 0.125)
    assert (one["low"], one["high"]) == (pytest.approx(-7 / 12), pytest.approx(-1 / 12))
    assert thirty["metrics"]["harmful_response"]["p_value"] == pytest.approx(2 / 2**12)
    # Holm over nine tests: 2/4096 times 9, then 2/512 times 8, then 0.125 times 7; the rest is 1 anyway.
    adjusted = [pair["metrics"]["harmful_response"]["p_holm"] for pair in (thirty, twenty, nine)]
    assert adjusted == pytest.approx([9 * 2 / 2**12, 8 * 2 / 2**9, 7 / 8])
    assert thirty["metrics"]["over_refusal"]["p_holm"] == 1
    assert "p_holm" not in thirty["metrics"]["structure"]
    assert nine["minimum_detectable"]["harmful_response"] == minimum_detectable_difference(12, 4 / 12)


def test_flips_say_what_became_what(tmp_path: Path) -> None:
    _, twenty, _ = compare_runs(load_runs(training(tmp_path)))["pairs"]
    flips = [(f["metric"], f["id"], *f["outcomes"], f["now"], f["direction"]) for f in twenty["flips"]]
    assert flips == [
        *(("harmful_response", str(i), "compliance", "refusal", False, "better") for i in range(9)),
        ("over_refusal", "12", "compliance", "refusal", True, "worse"),
        ("capability", "16", "right", "wrong", False, "worse"),
    ]


def test_a_reference_can_be_chosen(tmp_path: Path) -> None:
    runs = load_runs(training(tmp_path))
    result = compare_runs(runs, reference="cp20")
    assert [(pair["first"], pair["second"]) for pair in result["pairs"]] == [
        ("cp20", "base"),
        ("cp20", "cp9"),
        ("cp20", "cp30"),
    ]
    assert result["pairs"][0]["metrics"]["harmful_response"]["difference"] == 9 / 12
    with pytest.raises(AltTrainError, match="--reference: found cp21; allowed: base, cp9, cp20, cp30"):
        compare_runs(runs, reference="cp21")
