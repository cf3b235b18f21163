"""``check-export.json``: how far an exported form agrees with the trained one."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, JsonValue

from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.storage.atomic import write_atomic

REPORT_FILE = "check-export.json"


class Form(BaseModel, frozen=True):
    """One form of the model.

    Attributes:
        words: Which weights it has, and what runs them.
        model, adapter, template: What it is, as it enters the keys of completions.
        settings: How it was asked.
    """

    words: str
    model: str
    adapter: str
    template: str
    settings: dict[str, JsonValue]


class FirstDifference(BaseModel, frozen=True):
    """Where two completions of a prompt part.

    Attributes:
        set, id: The prompt.
        position: Tokens that both completions have in common.
        trained, exported: The first token that differs, as text; empty if a completion was cut off there.
        trained_margin: In the trained form, the log-probability of its own token minus that of the exported form's, in
            nats. Near 0, the two tokens were nearly equally likely, and rounding decided. None where it is not measured
            or a token is not among the likeliest.
        exported_margin: In the exported form, the log-probability of its own token minus that of the trained form's.
    """

    set: str
    id: str
    position: int
    trained: str
    exported: str
    trained_margin: float | None = None
    exported_margin: float | None = None


class ProbabilityGap(BaseModel, frozen=True):
    """How far the probabilities of one token differ, over prompts.

    Attributes:
        prompts: Number of prompts.
        largest, mean: Over prompts, of the largest difference of any token's probability, between 0 and 1.
        largest_at: Set and id of the prompt with the largest.
    """

    prompts: int
    largest: float
    mean: float
    largest_at: str


class ComparedRate(BaseModel, frozen=True):
    """A rate of both forms on the same prompts, with its paired test, exported minus trained."""

    metric: str
    label: str
    trained: Rate
    exported: Rate
    test: PairedTest


class CheckReport(BaseModel, frozen=True):
    """The content of ``check-export.json``.

    Attributes:
        version, created, packages: With what, and when.
        trained, exported: The two forms.
        sets: Number of prompts by set.
        missing: Sets and completions that are unavailable, with the reasons.
        notes: What a reader has to know about the two forms.
        max_new_tokens: Tokens per completion, at most.
        margin: Permitted difference, in percentage points.
        same_prompt: Share of prompts that both forms render to the same text; None if a server renders them.
        greedy: Share of completions that are equal token for token.
        differences: Where the others part.
        verdicts: Share of harmful and benign prompts with the same verdict of the thought.
        judgements: Share of harmful and benign prompts with the same judgement of the answer.
        first_token: Gap at the first token of the completion; None if not measured.
        verdict_token: Gap at the token that decides the verdict of the assessment, after the trained form's own text;
            None if not measured or if no thought has a verdict.
        no_probabilities: Why they were not measured; empty if they were.
        rates: Side by side.
        exceeded: What differs by more than the margin, in words; empty within it.
    """

    version: str
    created: str
    packages: dict[str, str]
    trained: Form
    exported: Form
    sets: dict[str, int]
    missing: dict[str, str]
    notes: list[str]
    max_new_tokens: int
    margin: float
    same_prompt: Rate | None
    greedy: Rate
    differences: list[FirstDifference]
    verdicts: Rate
    judgements: Rate
    first_token: ProbabilityGap | None = None
    verdict_token: ProbabilityGap | None = None
    no_probabilities: str = ""
    rates: list[ComparedRate]
    exceeded: list[str]

    @property
    def within(self) -> bool:
        """Whether the forms agree up to the margin."""
        return not self.exceeded


def write_check_report(report: CheckReport, folder: Path) -> Path:
    """Write the report; returns its path."""
    path = folder / REPORT_FILE
    write_atomic(path, report.model_dump_json(indent=2) + "\n")
    return path
