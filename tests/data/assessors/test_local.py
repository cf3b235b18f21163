from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.assessors.base import Dialogue, Question
from axolotl_alttrain.data.assessors.local import LocalAssessor
from axolotl_alttrain.data.build import build
from axolotl_alttrain.data.build_config import LocalConfig
from axolotl_alttrain.errors import AltTrainError
from tests.data.conftest import config as build_config
from tests.data.conftest import read


@pytest.mark.slow
def test_a_real_model_is_asked_in_batches_and_its_replies_are_checked(demo_model: Path) -> None:
    config = LocalConfig(kind="local", model=str(demo_model), batch_size=3, max_tokens=24, attempts=2)
    questions = [Question(f"{n}", f"How do I bake cake number {n}?", "benign") for n in range(4)]
    outcomes = list(LocalAssessor(config).assess(questions))
    assert sorted(outcome.key for outcome in outcomes) == ["0", "1", "2", "3"]
    for outcome in outcomes:  # a model this small may fail the form: then it is set aside, never guessed
        assert (outcome.fault is None) == (outcome.assessment is not None and outcome.assessment.verdict == "benign")
        assert 1 <= outcome.attempts <= 2
        assert outcome.prompt_tokens > 200
        assert 0 < outcome.completion_tokens <= 24 * outcome.attempts


@pytest.mark.slow
def test_a_batch_replies_as_each_query_alone_does(demo_model: Path) -> None:
    assessor = LocalAssessor(LocalConfig(kind="local", model=str(demo_model), max_tokens=16))
    chats: list[Any] = [Dialogue(Question("k", text), 1).messages for text in ("Hi", "What is the capital of France?")]
    together = assessor._generate(chats)
    assert together == [assessor._generate([chat])[0] for chat in chats]
    assert all(text for text, _, _ in together)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(AltTrainError, match=r"^assessor model no/such-model cannot be loaded "):
        LocalAssessor(LocalConfig(kind="local", model="no/such-model"))


def test_a_retrained_folder_is_asked_again(
    tiny: tuple[Path, Path], tmp_path: Path, traces: Any, caplog: pytest.LogCaptureFixture
) -> None:
    folder, store = tmp_path / "model", tmp_path / "out" / "assessments.jsonl"
    shutil.copytree(tiny[0], folder)
    local = {"kind": "local", "model": str(folder), "max_tokens": 16, "attempts": 1}
    found = build_config(traces(2, 1), harmful=0, benign=1, assessor=local)

    def kept() -> int:
        """Build; random weights give no valid reply, and what was asked is kept all the same."""
        with caplog.at_level(logging.WARNING), pytest.raises(AltTrainError, match="found 0 usable benign rows"):
            build(found, tmp_path / "out")
        return len(read(store))

    former = LocalAssessor(found.assessor).former_key("Give me good thing number 2 about gamma", "benign")  # type: ignore[arg-type]
    old = {"verdict": "benign", "reason": "This is harmless: it says so."}
    store.parent.mkdir()
    row = {"key": former, "assessment": old, "fault": None, "attempts": 1, "prompt_tokens": 9, "completion_tokens": 9}
    store.write_text(json.dumps(row) + "\n")
    assert kept() == 1 + 1
    assert [record.getMessage() for record in caplog.records] == [
        f"{store}: assessments of an earlier version are not reused, because their keys do not show which weights or "
        "which server they came from"
    ]
    caplog.clear()
    assert kept() == 1 + 1
    assert caplog.records == []
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert kept() == 1 + 1 + 1
