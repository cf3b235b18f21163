"""The data card of a build: ``README.md`` as the Hub reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic

_CELLS = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;"})  # names come from the sources' own columns


def read_report(folder: Path) -> dict[str, Any]:
    """``report.json`` of a build's folder, in the shape of :mod:`axolotl_alttrain.data.output.build_report`.

    Raises:
        AltTrainError: There is none, or it is not a report.
    """
    path = folder / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AltTrainError(f"{path} cannot be read ({error}); run 'axolotl alttrain build' first") from None
    if not isinstance(report, dict) or not {"name", "rows", "counts", "rejected", "assessor"} <= set(report):
        raise AltTrainError(f"{path} is not a report of a build; run 'axolotl alttrain build' again")
    return report


def write_card(folder: Path) -> Path:
    """Write ``README.md`` beside a build's ``report.json``.

    Returns:
        The card's path.

    Raises:
        AltTrainError: The folder holds no report.
    """
    path = folder / "README.md"
    write_atomic(path, card(read_report(folder)))
    return path


def card(report: Mapping[str, Any]) -> str:
    """The card's text: metadata as YAML, then what was taken, left out and by whom it was assessed."""
    from huggingface_hub import DatasetCardData

    counts = report["counts"]
    languages = [name for name in counts["language"] if name != "unknown"]
    configs = [{"config_name": "default", "data_files": "data.jsonl"}]
    configs += [{"config_name": name, "data_files": made["file"]} for name, made in report["variants"].items()]
    data = DatasetCardData(
        language=languages or None,
        pretty_name=report["name"],
        task_categories=["text-generation"],
        tags=["alttrain", "safety", "reasoning"],
        size_categories=[_size(report["rows"])],
        configs=configs,
    )
    assessor = report["assessor"]
    parts = [
        f"---\n{data.to_yaml()}\n---",
        f"# {report['name'].translate(_CELLS)}",
        f"{report['rows']:,} examples in the AltTrain structure (arXiv 2604.18946): problem understanding, harmfulness "
        "assessment, conditional reasoning, answer. Harmful requests are refused. Seed "
        f"{report['seed']}; built by axolotl-alttrain {report['versions'].get('axolotl_alttrain', '')}.",
        "The requests include harmful ones and may offend.",
        "## Composition",
        *(_table(name, counts[name]) for name in ("label", "category", "language", "source")),
        "## Assessment",
        assessor["statement"],
        f"Assessed: {assessor['assessed']:,}; set aside: {assessor['set_aside']:,}.",
        "## Left out",
        _table("reason", report["rejected"]),
        f"Queries that overlap with an evaluation set, removed: {report['overlaps']['rows']:,}.",
    ]
    if report["tokens"]:
        parts += ["## Tokens per step", f"Counted with {report['tokens']['tokenizer']}.", _lengths(report["tokens"])]
        parts.append("The paper's training examples have 167 tokens on average (the paper's number).")
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(heading: str, counts: Mapping[str, int]) -> str:
    lines = [f"| {heading} | rows |", "| --- | ---: |"]
    lines += [f"| {str(name).translate(_CELLS)} | {number:,} |" for name, number in counts.items()]
    return "\n".join(lines) if counts else "None."


def _lengths(tokens: Mapping[str, Any]) -> str:
    lines = ["| step | mean | median | p95 | max |", "| --- | ---: | ---: | ---: | ---: |"]
    for part, spread in tokens.items():
        if isinstance(spread, Mapping):
            values = " | ".join(f"{spread[key]:.1f}" for key in ("mean", "p50", "p95", "max"))
            lines.append(f"| {part.replace('_', ' ')} | {values} |")
    return "\n".join(lines)


def _size(rows: int) -> str:
    """The Hub's size category of a number of rows."""
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for bound, name in bounds if rows < bound), "1M<n<10M")
