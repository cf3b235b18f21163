"""What a build would ask and cost, before anyone is asked."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.assessors.assessment_store import AssessmentStore
from axolotl_alttrain.data.assessors.base import Dialogue, Question
from axolotl_alttrain.data.build import Build
from axolotl_alttrain.data.output.build_report import cost_usd
from axolotl_alttrain.data.output.exclusion_logs import log_files
from axolotl_alttrain.format.example import LABELS

CHARS_PER_TOKEN = 4  # English under common tokenizers; used where the config names none
_REPLY_TOKENS, _REFUSAL_TOKENS = 50, 70  # a verdict with one sentence as JSON; stop and refusal


@dataclass(frozen=True)
class Estimate:
    """A dry run's numbers.

    Attributes:
        candidates: Rows that may be used, by label.
        wanted: Rows that the build takes, by label.
        rejected: Rows left out, by reason.
        stored: Assessments that are there already.
        queries: Queries to be asked, if every verdict agrees at the first attempt.
        prompt_tokens, completion_tokens: Of those queries, estimated.
        cost_usd: None without prices.
    """

    candidates: dict[str, int]
    wanted: dict[str, int]
    rejected: dict[str, int]
    stored: int
    queries: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


def estimate(build: Build) -> Estimate:
    """Read the sources, select, and count what would be asked; nothing is written.

    Raises:
        AltTrainError: A source cannot be read.
    """
    config = build.config
    store = AssessmentStore(build.folder / "assessments.jsonl", read_only=True)
    with tempfile.TemporaryDirectory() as scratch, log_files(None) as logs:
        file = build.collect(logs, Path(scratch) / "candidates.jsonl")
        counts = {label: sum(entry.label == label for entry in file.entries) for label in LABELS}
        chosen = [entry for entry in file.entries if entry.label is None]
        counts |= {"unlabelled": len(chosen)} if chosen else {}
        taken = {}
        for label in LABELS:
            pool = build.chosen(file.entries, label, config.wanted(label))  # type: ignore[arg-type]
            taken[label] = len(pool)
            chosen += pool
        asked = {entry.key: entry for entry in chosen if entry.key and entry.key not in store}
        prompt = completion = 0
        if config.assessor.kind != "offline":
            with_refusal = config.refusals == "assessor"
            for key, entry in asked.items():
                messages = Dialogue(Question(key, file.get(entry).trace.instruction), 1, with_refusal).messages
                prompt += _tokens(build, "\n".join(message["content"] for message in messages))
                completion += _REPLY_TOKENS + (_REFUSAL_TOKENS if with_refusal and entry.label != "benign" else 0)
        file.close()
        return Estimate(
            counts, taken, dict(sorted(logs.reasons.items())), sum(entry.key in store for entry in chosen if entry.key),
            len(asked), prompt, completion, cost_usd(config, prompt, completion),
        )  # fmt: skip


def _tokens(build: Any, text: str) -> int:
    if build.counter is None:
        return len(text) // CHARS_PER_TOKEN + 1
    return len(build.counter.chat.encode([text])[0])
