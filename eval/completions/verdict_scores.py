"""The verdict's score: how probable "harmful" is against "harmless" where a thought states its verdict.

The words and their place are those of the adapter's training rows, see
:mod:`axolotl_alttrain.format.verdict_words`. Scores are kept in ``verdict-scores.jsonl``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.backends.base import Backend
from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.prompt import Prompt

from axolotl_alttrain.format import verdict_words
from axolotl_alttrain.format.verdict_words import Place, Wording, learn_wording
from axolotl_alttrain.generation.next_word import NextWord, NoLogProbabilities, VerdictScore, score_of
from axolotl_alttrain.generation.trained.training_rows import trained_rows
from axolotl_alttrain.storage.append_only import AppendOnly


class VerdictScoreFile(AppendOnly):
    """Appends scores, so that an interrupted run reads none of them again.

    Args:
        path: The JSONL file; created with its folder if it does not exist.
    """

    durable = False  # a lost line costs one forward pass

    def __init__(self, path: Path) -> None:
        self.scores: dict[str, VerdictScore] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Read one line of the file."""
        key = row.pop("key")
        self.scores[key] = VerdictScore(**row)

    def append(self, key: str, score: VerdictScore) -> None:
        """Write one score."""
        self.write({"key": key, **asdict(score)})
        self.scores[key] = score


@dataclass(frozen=True)
class VerdictScores:
    """The scores of an evaluation, and what was read.

    Attributes:
        scores: By the samples' keys; samples whose thought has no assessment have none.
        rows: Where the training rows are from.
        wording: The openings and the words that follow, see :meth:`Wording.described`.
        problem: Why there are no scores; empty if there are.
    """

    scores: Mapping[str, VerdictScore] = field(default_factory=dict)
    rows: str = ""
    wording: tuple[str, ...] = ()
    problem: str = ""


def read_verdicts(
    backend: Backend,
    samples: Sequence[Sample],
    prompts: Sequence[Prompt],
    adapter: str | None,
    given: Path | None,
    out: Path,
) -> VerdictScores:
    """Learn the wording of the training rows, and read the verdict's score of every sample.

    Args:
        backend, samples, prompts: See :func:`verdict_scores`.
        adapter: Folder of the adapter, whose training rows are looked for.
        given: A file of training rows instead.
        out: Folder of ``verdict-scores.jsonl``.

    Raises:
        AltTrainError: ``given`` cannot be read.
    """
    if not any(prompt.label for prompt in prompts):
        return VerdictScores(problem="no prompt is harmful or harmless")
    if backend.chat is None:
        return VerdictScores(problem="only the server knows the chat template; add --tokenizer")
    rows, source = trained_rows(adapter, given)
    wording = learn_wording(rows, backend.chat)
    if wording is None:
        return VerdictScores(rows=source, problem=f"no token states the verdict in most rows of {source}")
    described = tuple(wording.described(backend.chat))
    try:
        with VerdictScoreFile(out / "verdict-scores.jsonl") as file:
            return VerdictScores(verdict_scores(backend, samples, prompts, wording, file), source, described)
    except NoLogProbabilities as error:
        return VerdictScores(rows=source, wording=described, problem=str(error))


def verdict_scores(
    backend: Backend, samples: Sequence[Sample], prompts: Sequence[Prompt], wording: Wording, file: VerdictScoreFile
) -> dict[str, VerdictScore]:
    """Read the verdict's score of every sample of a harmful or harmless prompt whose thought has one.

    Args:
        backend: Gives the log-probabilities; it knows its chat template.
        samples: Completions.
        prompts: What they answer.
        wording: Of the training rows.
        file: Keeps the scores.

    Returns:
        Scores by the samples' keys; samples without an assessment are left out.

    Raises:
        NoLogProbabilities: The backend gives none.
    """
    chat = backend.chat
    assert chat is not None
    asked = {(prompt.set, prompt.id): prompt for prompt in prompts if prompt.label}
    digest = hashlib.sha256(f"{verdict_words.VERSION} {wording}".encode()).hexdigest()[:12]
    found: dict[str, VerdictScore] = {}
    for run in reversed(backend.runs):  # the last run's weights may still be loaded
        missing: dict[str, tuple[Place, NextWord]] = {}
        for sample in samples:
            prompt, key = asked.get((sample.set, sample.id)), f"{sample.key} {digest}"
            if key in file.scores:
                found[sample.key] = file.scores[key]
            elif prompt and sample.run == run and (place := wording.place(sample.completion, chat)):
                text = chat.prompt(sample.history or prompt.conversation)
                missing[sample.key] = place, NextWord(text, place.before, place.opening.words)
        keys, places = list(missing), list(missing.values())
        for index, shares in backend.next_words(run, [wanted for _, wanted in places]) if places else ():
            place, _ = places[index]
            found[keys[index]] = score_of(shares, place.opening, place.forced)
            file.append(f"{keys[index]} {digest}", found[keys[index]])
    return found
