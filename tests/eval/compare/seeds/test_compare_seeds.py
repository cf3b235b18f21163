from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main

from tests.eval.compare.folders import BASE, FINE, NO, OVER, RIGHT, YES, folder


def trained(path: Path, name: str, harmful: int, refused: int = 0, **more: object) -> str:
    """A training of which ``harmful`` of 12 harmful prompts are answered and ``refused`` of 4 harmless ones refused."""
    cases = [YES] * harmful + [NO] * (12 - harmful) + [OVER] * refused + [FINE] * (4 - refused) + [RIGHT] * 4
    return str(folder(path / name, {"base": BASE, "tuned": cases}, f"out/{name}", **more))


def shown(out: Path) -> str:
    """``seeds.md`` as a reader sees it: Markdown's escapes are gone."""
    return (out / "seeds.md").read_text().replace("\\", "")


def test_the_mean_has_intervals_over_seeds_and_over_prompts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [trained(tmp_path, f"s{n}", harmful) for n, harmful in enumerate((3, 3, 6))]
    out = tmp_path / "out"
    assert main(["compare", "--seeds", f"demo={folders[0]}", *folders[1:], "--out", str(out)]) == 0
    result = json.loads((out / "seeds.json").read_text())
    assert (result["reference"], list(result["groups"]), result["prompts"]) == ("base", ["base", "demo"], 20)
    demo = result["groups"]["demo"]
    assert (demo["folders"], demo["trained"], result["groups"]["base"]["trained"]) == (["s0", "s1", "s2"], True, False)
    harmful = demo["measures"][0]
    assert (harmful["metric"], harmful["set"]) == ("harmful_response", None)
    seeds, prompts = harmful["seeds"], harmful["prompts"]
    # s / sqrt(3) = 1/12, t(0.975, 2) = 4.302653; cut at 0
    assert seeds == {"values": [0.25, 0.25, 0.5], "mean": pytest.approx(1 / 3), "low": 0.0,
                     "high": pytest.approx(0.691888, abs=1e-6)}  # fmt: skip
    # 12 prompts, of which 3 count in 3 of 3 answers, 3 in 1 and 6 in none: 14.67 effective samples of 36
    assert (prompts["count"], prompts["total"]) == (12, 36)
    assert (prompts["low"], prompts["high"]) == (pytest.approx(0.15039, abs=1e-5), pytest.approx(0.58545, abs=1e-5))
    difference = demo["differences"][0]
    assert difference["seeds"] == {"difference": pytest.approx(-2 / 3), "low": -1.0,
                                   "high": pytest.approx(-0.308112, abs=1e-6),
                                   "p_value": pytest.approx(0.015268, abs=1e-6)}  # fmt: skip
    # Of 12 prompts 6 fall by 1, 3 by 2/3, 3 not at all.
    assert (difference["prompts"]["pairs"], difference["prompts"]["lost"]) == (12, 9)
    assert difference["prompts"]["p_value"] == pytest.approx(2 / 2**9)
    text = shown(out)
    assert "|  | base | demo, mean of 3 seeds |" in text
    assert "| harmful responses, lower is better | 100.0 [75.8, 100.0] | 33.3 [0.0, 69.2] [15.0, 58.5] |" in text
    assert "| harmful responses, lower is better | 25.0, 25.0, 50.0 |" in text
    assert "demo against base" in capsys.readouterr().out


def test_recipes_are_compared_with_a_named_one(tmp_path: Path) -> None:
    plain = [trained(tmp_path, f"p{n}", harmful) for n, harmful in enumerate((6, 9))]
    steps = [trained(tmp_path, f"s{n}", harmful, 1) for n, harmful in enumerate((3, 3))]
    arguments = ["compare", "--seeds", f"plain={plain[0]}", plain[1], "--seeds", f"steps={steps[0]}", steps[1]]
    assert main([*arguments, "--reference", "plain", "--out", str(tmp_path / "out")]) == 0
    groups = json.loads((tmp_path / "out" / "seeds.json").read_text())["groups"]
    assert {name: bool(group["differences"]) for name, group in groups.items()} == {
        "base": True, "plain": False, "steps": True
    }  # fmt: skip
    harmful = groups["steps"]["differences"][0]["seeds"]
    # 0.25 - 0.625; the standard error is 0.125 with one degree of freedom, t(0.975, 1) = 12.7062
    assert (harmful["difference"], harmful["low"], harmful["high"]) == (-0.375, -1.0, 1.0)
    assert harmful["p_value"] == pytest.approx(0.204833, abs=1e-6)  # t = 3


def score(path: Path, log_odds: dict[str, list[float]]) -> None:
    """Give the tuned samples of each kind these scores, the last one to all that follow, and each kind its own set."""
    rows, seen = [], Counter[str]()
    for line in (path / "scored.jsonl").read_text().splitlines():
        row = json.loads(line)
        row["set"] = kind = row["kind"]
        if row["run"] == "tuned" and (values := log_odds.get(kind)):
            row["verdict_score"] = {"log_odds": values[min(seen[kind], len(values) - 1)], "mass": 1.0}
            seen[kind] += 1
        rows.append(json.dumps(row))
    (path / "scored.jsonl").write_text("\n".join(rows) + "\n")


def test_areas_are_averaged_over_seeds(tmp_path: Path) -> None:
    folders = [Path(trained(tmp_path, f"s{n}", 3)) for n in range(2)]
    score(folders[0], {"harmful": [2.0], "benign": [1.0]})
    score(folders[1], {"harmful": [0.0] * 6 + [2.0], "benign": [1.0]})  # 6 of 12 below every harmless one
    assert main(["compare", "--seeds", f"demo={folders[0]}", str(folders[1]), "--out", str(tmp_path / "out")]) == 0
    groups = json.loads((tmp_path / "out" / "seeds.json").read_text())["groups"]
    assert groups["demo"]["areas"] == {
        "harmful against benign": {"values": [1.0, 0.5], "mean": 0.75, "low": 0.0, "high": 1.0}
    }
    assert (
        "AUROC of the verdicts' scores, harmful against benign, higher is better | – | 0.750 [0.000, 1.000] |"
        in shown(tmp_path / "out")
    )


def test_mistakes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = trained(tmp_path, "a", 3), trained(tmp_path, "b", 6)
    same = str(folder(tmp_path / "c", {"tuned": [YES] * 12}, "out/a"))
    other = trained(tmp_path, "d", 6, max_new_tokens=13)
    out = ["--out", str(tmp_path / "out")]
    for arguments, message in (
        (["--seeds", one], "write it as NAME=RUN RUN RUN, one results folder for each seed"),
        (["--seeds", f"x={one}", "--seeds", f"x={two}"], "there is another group x; give each a name of its own"),
        (["--seeds", f"x={one}", one], "is given twice; give each folder once"),
        (["--seeds", f"x={one}", same], "a, c hold the same adapter; give one folder for each training seed"),
        (["--seeds", f"x={one}", other], "max_new_tokens is 12 and 13"),
        (["--seeds", f"x={one}", two, "--reference", "y"], "--reference: found y; allowed: base, x"),
        ([], "no run is given; give results folders, or --seeds NAME=RUN RUN RUN"),
    ):
        assert main(["compare", *arguments, *out]) == 1
        assert message in capsys.readouterr().err
