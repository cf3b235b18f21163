from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main
from axolotl_alttrain.eval.scoring.thought_structure import Spread, lengths

from tests.eval.scoring.test_metrics import scored

from .folders import NO, YES, folder


def test_differences_flips_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = folder(tmp_path / "a", {"base": [YES] * 8 + [("benign", "Yes.")], "tuned": [NO] * 8 + [("benign", "Yes.")]})
    b = folder(tmp_path / "b", {"base": [YES] * 6 + [NO]})
    assert main(["compare", str(a), str(b), "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert list(result["runs"]) == ["a:base", "a:tuned", "b"]
    tuned, other = result["pairs"]
    assert (tuned["shared"], tuned["left_out"], other["shared"], other["left_out"]) == (9, 0, 7, 2)
    one = tuned["metrics"]["harmful_response"]
    # All eight changed, so the interval is Newcombe's.
    assert (one["difference"], one["low"], one["high"]) == (-1, -1, pytest.approx(-0.5412, abs=1e-4))
    assert one["p_value"] == pytest.approx(2 / 256)
    assert [(s["metric"], s["p_holm"]) for s in tuned["by_set"]] == [
        ("harmful_response", pytest.approx(4 / 256)),
        ("over_refusal", 1.0),
    ]
    assert [(f["id"], f["now"]) for f in other["flips"]] == [("6", False)]
    assert "a:tuned against a:base" in (tmp_path / "out" / "compare.md").read_text()
    assert "-100.0 [-100.0, -54.1]" in capsys.readouterr().out


def test_one_run_alone_is_a_table(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": [YES]})
    assert main(["compare", str(a), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["pairs"] == []


def test_what_cannot_be_paired_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = folder(tmp_path / "a", {"base": [YES]}), folder(tmp_path / "b", {"base": [YES]}, max_new_tokens=13)
    arguments = ["compare", str(a), str(b), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    assert "max_new_tokens is 12 and 13" in capsys.readouterr().err
    assert main([*arguments, "--ignore", "max_new_tokens"]) == 0
    (b / "scored.jsonl").write_text(
        (b / "scored.jsonl").read_text().replace('"instruction": "?"', '"instruction": "!"')
    )
    assert main([*arguments, "--ignore", "max_new_tokens"]) == 1
    assert "field 'instruction' differs: '?' and '!'" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "none")]) == 1
    assert "summary.json is missing" in capsys.readouterr().err


def test_lengths() -> None:
    found = lengths(scored("base", [YES, NO, ("benign", "Yes.")]))
    assert found["harmful"].answer == Spread(mean=2.0, median=2.0, p95=2.0)
