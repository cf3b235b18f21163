"""Counts that are taken while a build runs, and the report made from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from axolotl_alttrain.compat import installed_version
from axolotl_alttrain.data.build_config import AssessorConfig, OpenAIConfig, SourceConfig
from axolotl_alttrain.data.build_context import BuildContext
from axolotl_alttrain.data.candidates import Candidate
from axolotl_alttrain.data.output.build_report import (
    AssessorReport,
    BuildReport,
    DuplicateCounts,
    Histogram,
    LengthSpread,
    OverlapCounts,
    RowCounts,
    SourceCounts,
    TokenLengths,
    UnderstandingCounts,
    VariantReport,
)
from axolotl_alttrain.data.sources.columns import source_name, source_path
from axolotl_alttrain.data.token_counts import PARTS
from axolotl_alttrain.format.example import AltTrainExample

_PACKAGES = ("axolotl-alttrain", "datasets", "pysbd", "datasketch", "openai", "transformers")
_COLUMNS = tuple(RowCounts.model_fields)


@dataclass
class Tally:
    """The counts of one file of rows."""

    rows: int = 0
    changed: int = 0
    kept: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {column: Counter() for column in _COLUMNS})
    lengths: dict[str, list[int]] = field(default_factory=lambda: {part: [] for part in PARTS})

    def add(self, candidate: Candidate, example: AltTrainExample, lengths: Mapping[str, int]) -> None:
        """Count one row and the tokens of its parts."""
        self.rows += 1
        if candidate.example:
            self.kept += 1
        else:
            self.changed += candidate.understanding.changed
        for column, counter in self.counts.items():
            counter[str(getattr(example, column) or "unknown")] += 1
        for part, tokens in lengths.items():
            self.lengths[part].append(tokens)

    def by(self, column: str) -> dict[str, int]:
        """Rows by the values of a column, sorted by value."""
        return dict(sorted(self.counts[column].items()))


def make_report(context: BuildContext, tally: Tally, variants: dict[str, VariantReport]) -> BuildReport:
    """Make the report of a finished build."""
    config, logs = context.config, context.logs
    lengths = {part: length_spread(tally.lengths[part]) for part in PARTS}
    return BuildReport(
        name=config.name,
        seed=config.seed,
        config=config.model_dump(mode="json", exclude={"out"}),
        versions={name.replace("-", "_"): found for name in _PACKAGES if (found := installed_version(name))},
        rows=tally.rows,
        counts=RowCounts(**{column: tally.by(column) for column in _COLUMNS}),
        sources={source_name(source): _source_counts(source, context, tally) for source in config.sources},
        rejected=dict(sorted(logs.reasons.items())),
        understanding=UnderstandingCounts(rows=tally.rows - tally.kept, changed=tally.changed),
        overlaps=OverlapCounts(rows=logs.overlaps.total(), by_set=dict(sorted(logs.overlaps.items()))),
        duplicates=DuplicateCounts(rows=logs.reasons["near_duplicate"]),
        assessor=_assessor_report(context, tally),
        tokens=TokenLengths(tokenizer=config.tokenizer, **lengths) if config.tokenizer else None,
        variants=variants,
    )


def _source_counts(source: SourceConfig, context: BuildContext, tally: Tally) -> SourceCounts:
    name, candidates = source_name(source), context.candidates
    return SourceCounts(
        path=source_path(source),
        read=candidates.read[name],
        candidates=candidates.found[name],
        rows=tally.counts["source"][name],
    )


def _assessor_report(context: BuildContext, tally: Tally) -> AssessorReport:
    config, assessor, usage = context.config.assessor, context.assessor, context.usage
    return AssessorReport(
        kind=config.kind,
        model=assessor.model,
        prompt=assessor.prompt,
        statement=_statement(assessor.statement, tally),
        kept=tally.kept,
        assessed=usage.assessed,
        set_aside=usage.set_aside,
        attempts=usage.attempts,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=cost_usd(config, usage.prompt_tokens, usage.completion_tokens),
    )


def _statement(of_assessor: str, tally: Tally) -> str:
    if not tally.kept:
        return of_assessor
    if tally.kept == tally.rows:
        return "Every row keeps the assessment of its source."
    kept = f"{tally.kept:,} of {tally.rows:,} rows keep the assessment of their source."
    return f"{kept} The others: {of_assessor[0].lower()}{of_assessor[1:]}"


def cost_usd(config: AssessorConfig, prompt_tokens: int, completion_tokens: int) -> float | None:
    """The price of some tokens in US dollars; None if the config names no prices."""
    if not isinstance(config, OpenAIConfig) or config.price_in is None or config.price_out is None:
        return None
    return round((prompt_tokens * config.price_in + completion_tokens * config.price_out) / 1e6, 4)


def length_spread(lengths: list[int]) -> LengthSpread:
    """Mean, percentiles and histogram of token counts."""
    import numpy as np

    values = np.asarray(lengths or [0])
    counts, edges = np.histogram(values, bins=20)
    p5, p50, p95 = (round(float(value), 1) for value in np.percentile(values, [5, 50, 95]))
    return LengthSpread(
        mean=round(float(values.mean()), 1),
        p5=p5,
        p50=p50,
        p95=p95,
        max=int(values.max()),
        histogram=Histogram(edges=[round(float(edge), 2) for edge in edges], counts=counts.tolist()),
    )
