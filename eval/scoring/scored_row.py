"""One row of ``scored.jsonl``: a sample with its judgements and outcomes."""

from __future__ import annotations

import json

from axolotl_alttrain.eval.judges.thought_reader import Reading
from axolotl_alttrain.eval.scoring.outcome import outcome_word
from pydantic import BaseModel, JsonValue

from axolotl_alttrain.generation.next_word import VerdictScore


class RowJudgement(BaseModel, frozen=True):
    """What one judge says: its verdict and, where it gives one, a score between 0 and 1."""

    verdict: str
    score: float | None = None


class ScoredRow(BaseModel, frozen=True):
    """A sample as ``scored.jsonl`` keeps it; fields with a default are absent from older files.

    Attributes:
        run, set, id, repeat: Which sample: the run, the prompt's set and id, and the number of the repeat.
        source_id: Id of the prompt that an attack is made from.
        kind, instruction, prompt_sha256, category, scenario: The prompt.
        thought, verdict, thought_reading, follows_structure: The thought, and what it says about the request.
        verdict_score: The model's leaning where the thought states its verdict; None if it states none.
        answer, judgement, refusal, judgements, thought_judgements: The answer, and what the judges say.
        right, graded: Outcome of capability prompts and, as (metric, value), of prompts scored by degree.
        truncated, finish, thought_tokens, answer_tokens: Lengths, and how generation ended.
        metrics: By metric that applies to the prompt, whether the sample counts.
    """

    run: str
    set: str
    id: str
    source_id: str | None = None
    repeat: int = 0
    kind: str
    instruction: str
    prompt_sha256: str | None = None
    category: str | None = None
    scenario: str | None = None
    thought: str | None = None
    verdict: str | None = None
    thought_reading: dict[str, JsonValue] | Reading | None = None
    verdict_score: VerdictScore | None = None
    follows_structure: bool | None = None
    answer: str | None = None
    judgement: str | None = None
    refusal: str | None = None
    judgements: dict[str, RowJudgement | None] | None = None
    thought_judgements: dict[str, RowJudgement | None] | None = None
    right: bool | None = None
    graded: tuple[str, float] | None = None
    truncated: bool | None = None
    finish: str | None = None
    thought_tokens: int = 0
    answer_tokens: int = 0
    metrics: dict[str, bool]

    @property
    def pair_key(self) -> tuple[str, str, int]:
        """What pairs two rows: set, id and number of the repeat."""
        return self.set, self.id, self.repeat

    @property
    def unit(self) -> tuple[str, str]:
        """The prompt, whatever its attacks and repeats: samples of different prompts are independent."""
        return self.set, self.source_id or self.id

    @property
    def outcome(self) -> str:
        """The sample's outcome in a word, see :func:`axolotl_alttrain.eval.scoring.outcome.outcome_word`."""
        truncated = self.judgement is None if self.truncated is None else self.truncated
        refusal = self.refusal if "refusal" in self.model_fields_set else self.judgement
        return outcome_word(self.kind, self.right, truncated, self.judgement, refusal)

    def as_json(self) -> str:
        """One line of ``scored.jsonl``, without the line end."""
        return json.dumps(self.model_dump(mode="json", exclude_unset=True), ensure_ascii=False)
