"""The benchmark of served forms on the tiny model, and its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.command_shown import without_machine
from benchmarks.served.__main__ import FOLDERS, Form, cell, main, markdown
from tests.exports import Exports


def test_forms_are_measured_once_and_the_rest_is_named(
    exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = [str(exports.adapter), "--limit", "2", "--max-new-tokens", "4"]
    where = ["--out", str(tmp_path / "out"), "--results", str(tmp_path / "results")]
    forms = ["--forms", "as-trained", "full-merge", "vllm-lora", "vllm-exported"]
    assert main([*what, *where, *forms, "--python-vllm", str(tmp_path / "bin" / "python")]) == 0
    finished = tmp_path / "out" / "1-adapter" / "full-merge" / "finished.json"
    before = finished.stat().st_mtime_ns
    assert main([*what, *where, *forms]) == 0
    assert finished.stat().st_mtime_ns == before
    (adapter,) = json.loads((tmp_path / "results" / "served.json").read_text())["adapters"].values()
    assert adapter["forms"]["as-trained"]["same_verdicts"] == 100.0
    assert adapter["forms"]["as-trained"]["prompts"] == 8
    assert adapter["missing"] == {
        name: "needs --python-vllm, the Python of an environment with vLLM" for name in ("vllm-lora", "vllm-exported")
    }
    table = (tmp_path / "results" / "served.md").read_text()
    assert str(tmp_path) not in table
    assert "| exported, bf16 | – | – | – | – | – |" in table
    assert "- exported, bf16: not measured: not in --forms" in table
    assert "has no command vllm" in capsys.readouterr().out


def test_the_table_shows_the_mean_and_each_adapter() -> None:
    rates = {"over_refusal": 5.0, "structure": 98.0, "capability": 30.0}
    one = Form("w", {"harmful_response": 10.0, **rates}, None, 280, 1.0)
    two = Form("w", {"harmful_response": 20.0, **rates}, 99.5, 280, 1.0)
    adapters = {
        "1-a": {
            "forms": {"as-trained": vars(one), "exported-bf16": vars(two)},
            "missing": {"exported-fp16": "no memory"},
        },
        "2-b": {"forms": {"as-trained": vars(two)}, "missing": {"exported-fp16": "no memory"}},
    }
    result = {"command": "c", "adapters": adapters, "prompts": 280, "max_new_tokens": 256, "machine": "2 CPU cores"}
    lines = markdown(result).splitlines()
    assert lines[2] == "| form | harmful | over-refusal | structure | capability | verdicts as trained |"
    assert lines[4] == (
        "| as trained: adapter on the base as it was trained | 15.0 (10.0, 20.0) | 5.0 (5.0, 5.0) | 98.0 (98.0, 98.0) "
        "| 30.0 (30.0, 30.0) | 99.5 |"
    )
    assert "- exported, fp16: not measured: no memory" in lines
    assert lines[5] == "| exported, bf16 | 20.0 | 5.0 | 98.0 | 30.0 | 99.5 |"
    assert "- exported, bf16: measured on 1 of 2 adapters" in lines


def test_cells() -> None:
    assert [cell([]), cell([None]), cell([12.34]), cell([1.0, None, 2.0])] == ["–", "–", "12.3", "1.5 (1.0, 2.0)"]


def test_reasons_name_no_folder_of_the_machine() -> None:
    reason = "/work/a-b/model: no config.json; http://localhost:8000/v1 answers, outputs/x/y does not"
    assert FOLDERS.sub("", reason) == ("model: no config.json; http://localhost:8000/v1 answers, outputs/x/y does not")


def test_the_command_shows_no_path_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [without_machine(one) for one in ("--limit", "4", str(tmp_path / "outputs" / "a"), "/elsewhere/b")]
    assert shown == ["--limit", "4", "outputs/a", "b"]
