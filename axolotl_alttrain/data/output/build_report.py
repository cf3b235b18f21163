"""The model of ``report.json``; docs/data.md lists its fields, generated from here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from axolotl_alttrain.data.token_counts import PARTS
from axolotl_alttrain.errors import AltTrainError

Counts = dict[str, int]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True)


class RowCounts(_Section):
    """The rows of ``data.jsonl``, counted in four ways; ``unknown`` counts rows without a value."""

    label: Counts = Field(description="by label")
    category: Counts = Field(description="by category")
    language: Counts = Field(description="by language")
    source: Counts = Field(description="by source")


class SourceCounts(_Section):
    """What one source contributed."""

    path: str = Field(description="Hub ID or local file")
    read: int = Field(description="rows read")
    candidates: int = Field(description="rows that passed all checks before assessment")
    rows: int = Field(description="rows in `data.jsonl`")


class UnderstandingCounts(_Section):
    """Problem understandings that the builder took from a thought."""

    rows: int = Field(description="rows whose PU the builder took from a thought")
    changed: int = Field(description="of these, rows whose PU is longer than the first sentence, which was a filler")


class OverlapCounts(_Section):
    """Queries that resemble an evaluation prompt; `overlaps.jsonl` lists the pairs."""

    rows: int = Field(description="queries dropped because they resemble an evaluation prompt")
    by_set: Counts = Field(description="the same, by evaluation set")


class DuplicateCounts(_Section):
    """Near-duplicates; `duplicates.jsonl` lists the pairs."""

    rows: int = Field(description="near-duplicates dropped")


class AssessorReport(_Section):
    """Who assessed the queries, and what that took."""

    kind: Literal["openai_compatible", "local", "offline"] = Field(description="kind of assessor")
    model: str | None = Field(description="model; null for the offline assessor")
    prompt: str | None = Field(description="name and digest of the prompt files; null for the offline assessor")
    statement: str = Field(description="one sentence for readers on who assessed the rows")
    kept: int = Field(description="rows that keep the assessment of their source")
    assessed: int = Field(description="queries assessed")
    set_aside: int = Field(description="queries without a usable assessment")
    attempts: int = Field(description="replies requested")
    prompt_tokens: int = Field(description="tokens sent to the assessor")
    completion_tokens: int = Field(description="tokens the assessor wrote")
    cost_usd: float | None = Field(description="cost in US dollars; null if the config names no prices")


class Histogram(_Section):
    """A histogram of token counts."""

    edges: list[float] = Field(description="edges of the bins, in tokens")
    counts: list[int] = Field(description="rows in each bin; one fewer than edges")


class LengthSpread(_Section):
    """How the token counts of one part are distributed."""

    mean: float = Field(description="mean")
    p5: float = Field(description="5th percentile")
    p50: float = Field(description="median")
    p95: float = Field(description="95th percentile")
    max: int = Field(description="maximum")
    histogram: Histogram = Field(description="histogram of the lengths")


class TokenLengths(_Section):
    """Lengths in tokens, by part of a row."""

    tokenizer: str = Field(description="tokenizer, as the config names it")
    prompt: LengthSpread = Field(description="the prompt")
    problem_understanding: LengthSpread = Field(description="PU")
    harmfulness_assessment: LengthSpread = Field(description="HA")
    conditional_reasoning: LengthSpread = Field(description="CR")
    answer: LengthSpread = Field(description="the answer")
    total: LengthSpread = Field(description="the whole row, including the delimiters between the parts")

    @property
    def parts(self) -> dict[str, LengthSpread]:
        """The spreads by part, in the order of a row."""
        return {part: getattr(self, part) for part in PARTS}


class VariantReport(_Section):
    """One variant of the dataset."""

    file: str = Field(description="file, relative to the build's folder")
    rows: int = Field(description="rows in the file")
    label: Counts = Field(description="rows by label")


class BuildReport(_Section):
    """What a build read, left out and wrote. No field depends on the time or the machine."""

    name: str = Field(description="name of the dataset")
    seed: int = Field(description="seed of all random choices")
    config: dict[str, JsonValue] = Field(description="the config with its defaults, without `out`")
    versions: dict[str, str] = Field(description="versions of the packages that affect the result")
    rows: int = Field(description="rows in `data.jsonl`")
    counts: RowCounts = Field(description="rows in `data.jsonl`; `unknown` counts rows without a value")
    sources: dict[str, SourceCounts] = Field(description="what each source contributed")
    rejected: Counts = Field(description="rows left out, by reason; `rejected.jsonl` lists them")
    understanding: UnderstandingCounts = Field(description="problem understandings (PU)")
    overlaps: OverlapCounts = Field(description="overlaps with evaluation sets; `overlaps.jsonl` lists the pairs")
    duplicates: DuplicateCounts = Field(description="near-duplicates; `duplicates.jsonl` lists the pairs")
    assessor: AssessorReport = Field(description="who assessed the queries, and what that took")
    tokens: TokenLengths | None = Field(description="lengths in tokens; null if the config names no tokenizer")
    variants: dict[str, VariantReport] = Field(description="the variants")

    @property
    def version(self) -> str:
        """The version of this package that built the data."""
        return self.versions.get("axolotl_alttrain", "")

    def as_json(self) -> str:
        """The text of ``report.json``."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def read_report(folder: Path) -> BuildReport:
    """Read ``report.json`` from a build's folder.

    Raises:
        AltTrainError: The file is missing, unreadable or not a build's report.
    """
    path = folder / "report.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AltTrainError(f"{path}: cannot be read ({error}); run 'axolotl alttrain build' first") from None
    try:
        return BuildReport.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "report"
        raise AltTrainError(
            f"{path}: not a build's report ('{place}': {fault['msg']}); run 'axolotl alttrain build' again"
        ) from None
