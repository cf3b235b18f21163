"""The dataset card of a build: ``README.md``, as the Hub reads it."""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.data.output.build_report import BuildReport, Counts, TokenLengths, read_report
from axolotl_alttrain.storage.atomic import write_atomic

_CELLS = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;"})  # names come from the sources' own columns
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(folder: Path) -> Path:
    """Write ``README.md`` next to a build's ``report.json`` and return its path.

    Raises:
        AltTrainError: The folder contains no report.
    """
    path = folder / "README.md"
    write_atomic(path, card(read_report(folder)))
    return path


def card(report: BuildReport) -> str:
    """The text of the card: metadata as YAML, composition, assessment, and what was left out."""
    counts, assessor = report.counts, report.assessor
    by_column = {"label": counts.label, "category": counts.category, "language": counts.language}
    parts = [
        f"---\n{_metadata(report)}\n---",
        f"# {report.name.translate(_CELLS)}",
        f"{report.rows:,} examples in the AltTrain structure (arXiv 2604.18946): problem understanding, harmfulness "
        "assessment, conditional reasoning, answer. Harmful requests are refused. Built by axolotl-alttrain "
        f"{report.version} with seed {report.seed}.",
        "Some requests are harmful and may be offensive.",
        "## Composition",
        *(_table(column, found) for column, found in (by_column | {"source": counts.source}).items()),
        "## Assessment",
        assessor.statement,
        f"Queries assessed: {assessor.assessed:,}. Without a usable assessment: {assessor.set_aside:,}.",
        "## Rows left out",
        _table("reason", report.rejected),
        f"Queries removed because they resemble an evaluation prompt: {report.overlaps.rows:,}.",
    ]
    if report.tokens:
        parts += ["## Tokens per step", f"Counted with {report.tokens.tokenizer}.", _lengths(report.tokens)]
        parts.append("According to the paper, its training examples have 167 tokens on average.")
    return "\n\n".join(parts) + "\n"


def _metadata(report: BuildReport) -> str:
    from huggingface_hub import DatasetCardData

    configs = [{"config_name": "default", "data_files": "data.jsonl"}]
    configs += [{"config_name": name, "data_files": variant.file} for name, variant in report.variants.items()]
    data = DatasetCardData(
        language=[name for name in report.counts.language if name != "unknown"] or None,
        pretty_name=report.name,
        task_categories=["text-generation"],
        tags=["alttrain", "safety", "reasoning"],
        size_categories=[next((name for bound, name in _SIZES if report.rows < bound), "1M<n<10M")],
        configs=configs,
    )
    return str(data.to_yaml())


def _table(heading: str, counts: Counts) -> str:
    lines = [f"| {heading} | rows |", "| --- | ---: |"]
    lines += [f"| {name.translate(_CELLS)} | {count:,} |" for name, count in counts.items()]
    return "\n".join(lines) if counts else "None."


def _lengths(tokens: TokenLengths) -> str:
    lines = ["| step | mean | median | p95 | max |", "| --- | ---: | ---: | ---: | ---: |"]
    for part, spread in tokens.parts.items():
        values = " | ".join(f"{value:.1f}" for value in (spread.mean, spread.p50, spread.p95, spread.max))
        lines.append(f"| {part.replace('_', ' ')} | {values} |")
    return "\n".join(lines)
