"""``summary.json`` is read as it was written, and a broken file is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.results.summary import Summary, read_summary
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.errors import AltTrainError


def test_a_file_is_written_again_as_it_was_read(finished_run: Path, summary: dict[str, Any]) -> None:
    read = read_summary(finished_run)
    assert json.loads(read.as_json()) == summary
    assert set(summary["comparison"]["harmful_response"]) - set(summary["comparison"]["structure"]) == {
        "minimum_detectable"
    }


def test_thoughts_without_a_verdict_have_no_position(summary: dict[str, Any]) -> None:
    for run in summary["runs"].values():
        run["structure"]["verdict_position"] = {}
    read = Summary.model_validate(summary)
    assert read.one_run.structure is not None
    assert read.one_run.structure.verdict_position is None
    assert json.loads(read.as_json()) == summary


def test_fields_that_older_files_lack_have_defaults(summary: dict[str, Any]) -> None:
    for name in ("packages", "refusal_judge", "lengths_in", "paper", "comparison_by_set", "comparison_lengths"):
        summary.pop(name, None)
    for run in summary["runs"].values():
        for name in ("by_attack", "structure", "lengths"):
            del run[name]
        del run["metrics"]["attack_success"]
    read = Summary.model_validate(summary)
    assert (read.packages, read.refusals_by, read.lengths_in) == ({}, "refusal", "tokens")
    assert [rate.total for rate in read.rates("attack_success")] == [0, 0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"judges": None}, "field 'judges': found nothing; input should be a valid list"),
        ({"sets": {"s": "many"}}, "field 'sets.s': found 'many'; input should be a valid integer"),
        ({"runs": {"base": {"metrics": {}}}}, "field 'runs.base.by_set' is missing"),
    ],
)
def test_a_broken_file_is_one_line(
    finished_run: Path, tmp_path: Path, change: dict[str, Any], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((finished_run / "summary.json").read_text()) | change
    (tmp_path / "summary.json").write_text(json.dumps(content))
    with pytest.raises(AltTrainError) as caught:
        read_summary(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'summary.json'}: {problem}")
    assert message.endswith("; run the same evaluation again (its samples are kept)")
    assert "\n" not in message
    assert main(["card", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"eval.run card: {message}\n"


def test_text_that_is_not_json_and_a_list_are_one_line(tmp_path: Path) -> None:
    for text, problem in (("{", "cannot be read"), ("[]", r"the file holds list \[\] instead of a JSON object")):
        (tmp_path / "summary.json").write_text(text)
        with pytest.raises(AltTrainError, match=problem):
            read_summary(tmp_path)
