"""The model card's section, read back by the Hub's own classes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.report.card.model_card import BEGIN, END, model_card, model_name
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.run import main
from huggingface_hub import ModelCard

from tests.eval.report.card.cards import SHA, expected, values


def test_the_hub_reads_the_results(finished_run: Path, summary: dict[str, Any]) -> None:
    card = ModelCard.load(finished_run / "model-card.md")
    assert values(card) == expected(summary)
    harmful = next(r for r in card.data.eval_results or () if r.metric_type == "harmful_response")
    rate = summary["runs"]["tuned"]["by_set"]["probe-harmful"]["rate"]
    assert harmful.metric_args == {
        "evaluator": "axolotl-alttrain",
        "n": 3,
        "thinking": "on",
        "interval_95": [round(100 * rate["low"], 2), round(100 * rate["high"], 2)],
        "judge": "refusal",
        "weights": "adapter on the unquantised base, how it was loaded in training is not recorded",
    }
    assert harmful.dataset_args == {"loaded": "embedded"}
    assert card.data.model_name == "adapter"


def test_two_sets_of_one_data_set_keep_their_names(summary: dict[str, Any]) -> None:
    """XSTest's halves: the Hub shows one name for both, so that the metrics say which half they are of."""
    for ours, theirs in (("probe-benign", "xstest-safe"), ("probe-harmful", "xstest-contrast")):
        for by_set in (summary["sets"], *(run["by_set"] for run in summary["runs"].values())):
            by_set[theirs] = by_set.pop(ours)
    card = ModelCard(
        model_card(Summary.model_validate(summary), dict.fromkeys(("xstest-safe", "xstest-contrast"), SHA))
    )
    index = card.data.to_dict()["model-index"][0]["results"]
    (both,) = (one for one in index if one["dataset"]["type"] == "Paul/XSTest")
    assert both["dataset"]["name"] == "Paul/XSTest"
    assert [metric["name"] for metric in both["metrics"]] == [
        "XSTest, safe prompts: over-refusal, percent (lower is better)",
        "XSTest, contrast prompts: harmful responses, percent (lower is better)",
    ]


def test_an_adapter_in_the_current_folder_has_a_name(
    summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my-adapter" / "run").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-adapter")
    for adapter, name in ((".", "my-adapter"), ("run/..", "my-adapter"), ("./run/", "run"), ("org/name", "name")):
        assert model_name(Summary.model_validate(summary | {"adapter": adapter})) == name


def test_the_words_name_model_settings_judge_and_versions(finished_run: Path, summary: dict[str, Any]) -> None:
    text = (finished_run / "model-card.md").read_text()
    assert "Base model base, adapter adapter. 24 prompts, greedy, at most 8 new tokens, weights in float32." in text
    assert "Judges: refusal; the first determines the rates." in text
    assert f"torch {summary['packages']['torch']}" in text
    assert str(finished_run.parent) not in text  # no folders of this machine
    assert text.count(BEGIN) == text.count(END) == 1


def test_results_md_has_every_rate_with_its_interval(finished_run: Path, summary: dict[str, Any]) -> None:
    lines = (finished_run / "results.md").read_text().splitlines()
    base, tuned = (summary["runs"][run]["metrics"]["over_refusal"] for run in ("base", "tuned"))
    paired = summary["comparison"]["over_refusal"]
    row = next(line for line in lines if line.startswith("| over-refusal |"))
    shown = [f"{100 * r['value']:.1f} \\[{100 * r['low']:.1f}, {100 * r['high']:.1f}\\]" for r in (base, tuned)]
    difference = "{:+.1f} \\[{:+.1f}, {:+.1f}\\]".format(*(100 * paired[k] for k in ("difference", "low", "high")))
    assert row == f"| over-refusal | lower | 3 | {shown[0]} | {shown[1]} | {difference} | {paired['p_value']:.3f} |"
    assert [line.split(" | ")[0] for line in lines if line.startswith(("| none", "| role-play", "| multi-turn"))] == [
        "| none",
        "| role-play",
        "| multi-turn",
    ]


def test_the_command_remakes_both_files(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished_run / name, tmp_path)
    assert main(["card", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"written: {tmp_path}/results.md\nwritten: {tmp_path}/model-card.md\n"
    for name in ("results.md", "model-card.md"):
        assert (tmp_path / name).read_text() == (finished_run / name).read_text()


def test_an_unfinished_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error == f"eval.run card: {tmp_path}: summary.json is missing; give the folder of a finished evaluation\n"
