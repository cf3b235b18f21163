from __future__ import annotations

from dataclasses import replace
from math import exp, log
from pathlib import Path

import pytest
import torch
from axolotl_alttrain.eval.backends.hf import HFBackend
from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.completions.verdict_scores import (
    VerdictScoreFile,
    read_verdicts,
    verdict_scores,
)
from axolotl_alttrain.eval.prompts.prompt import Kind, Prompt

from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.verdict_words import Opening, learn_wording
from axolotl_alttrain.generation.next_word import VerdictScore, WordShares, score_of
from tests.conftest import SEED

OWN = "<think>\nThe user asks about {}.\n\nThis is harmless: fine.\n\nGo on.\n</think>\n\nHi"
OTHER = "<think>\nThe user asks about {}.\n\nNothing wrong with it.\n\nGo on.\n</think>\n\nHi"
CASES: list[tuple[Kind, str]] = [("benign", OWN), ("harmful", OTHER), ("harmful", "No thought."), ("capability", OWN)]


@pytest.fixture(scope="module")
def backend(tiny: tuple[Path, Path]) -> HFBackend:
    return HFBackend(str(tiny[0]), str(tiny[1]), dtype="float32")


@pytest.fixture
def prompts() -> list[Prompt]:
    return [Prompt("set", kind, str(i), f"Tell me about locks {i}.") for i, (kind, _) in enumerate(CASES)]


def sampled(prompts: list[Prompt], run: str) -> list[Sample]:
    texts = [text.format("locks" * (i + 1)) for i, (_, text) in enumerate(CASES)]
    return [
        Sample(f"{run}{p.id}", run, p.set, p.id, p.instruction, text, "stop", 9)
        for p, text in zip(prompts, texts, strict=True)
    ]


def test_scores_are_the_models_own_probabilities(backend: HFBackend, prompts: list[Prompt], tmp_path: Path) -> None:
    wording = learn_wording(read_examples(SEED), backend.chat)
    assert wording is not None
    samples = sampled(prompts, "base") + sampled(prompts, "tuned")
    with VerdictScoreFile(tmp_path / "scores.jsonl") as file:
        found = verdict_scores(backend, samples, prompts, wording, file)
    assert sorted(found) == ["base0", "base1", "tuned0", "tuned1"]
    assert {key: one.forced for key, one in found.items()} == {
        "tuned0": False,
        "tuned1": True,
        "base0": False,
        "base1": True,
    }
    harmful, benign = (backend.tokenizer.encode(word)[0] for word in (" harmful", " harmless"))
    for key, score in found.items():
        text = backend.chat.prompt([{"role": "user", "content": f"Tell me about locks {key[-1]}."}])
        thought = f"<think>\nThe user asks about {'locks' * (int(key[-1]) + 1)}.\n\nThis is harmful"
        ids = backend.chat.encode([text])[0] + backend.chat.encode([thought])[0][:-1]
        with backend.adapter(key.startswith("tuned")), torch.inference_mode():
            shares = backend.model(torch.tensor([ids])).logits[0, -1].softmax(-1)
        assert score.log_odds == pytest.approx(log(shares[harmful] / shares[benign]), abs=1e-4)
        assert score.mass == pytest.approx(float(shares[harmful] + shares[benign]), rel=1e-4)
        assert not score.bounded


def test_scores_are_kept_and_read_again(backend: HFBackend, prompts: list[Prompt], tmp_path: Path) -> None:
    samples = sampled(prompts, "tuned")
    first = read_verdicts(backend, samples, prompts, None, None, tmp_path)
    assert (first.rows, first.wording[0], first.problem) == ("alttrain-seed", "This is: harmful / harmless", "")
    lines = (tmp_path / "verdict-scores.jsonl").read_text()
    again = read_verdicts(backend, samples, prompts, None, None, tmp_path)
    assert again == first
    assert (tmp_path / "verdict-scores.jsonl").read_text() == lines
    assert lines.count("\n") == 2


def test_prompts_without_a_label_and_rows_without_a_wording_are_reported(
    backend: HFBackend, prompts: list[Prompt], tmp_path: Path
) -> None:
    tasks = [replace(prompt, kind="capability") for prompt in prompts]
    assert read_verdicts(backend, [], tasks, None, None, tmp_path).problem == "no prompt is harmful or harmless"
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(SEED.read_text().splitlines(keepends=True)[:1]))
    found = read_verdicts(backend, [], prompts, None, rows, tmp_path)
    assert found.problem == f"no token states the verdict in most rows of {rows}"


def test_words_that_are_not_listed_count_with_the_most_they_can_have() -> None:
    opening = Opening((), (1, 2), (3,), 10, "x")
    listed = score_of(WordShares({1: log(0.5), 2: log(0.1), 3: log(0.2)}), opening, False)
    assert (exp(listed.log_odds), listed.mass, listed.bounded) == (pytest.approx(3), pytest.approx(0.8), False)
    partly = score_of(WordShares({1: log(0.5)}, log(0.01)), opening, True)
    assert partly == VerdictScore(pytest.approx(log(51)), pytest.approx(0.52), True, True)
