from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.data.assessors.base import Dialogue, Question
from axolotl_alttrain.data.assessors.local import LocalAssessor
from axolotl_alttrain.data.build_config import LocalConfig


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
