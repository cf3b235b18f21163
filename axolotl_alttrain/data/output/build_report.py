"""``report.json``: what a build took, left out and made. Written by the build, read by the card and the page.

The shape (numbers are counts unless named otherwise; keys never depend on the time or the machine)::

    {
      "name": "alttrain-1k",
      "seed": 1995,
      "config": {...},                      # the build's config, as validated
      "versions": {"axolotl_alttrain": "...", "datasets": "...", "pysbd": "..."},
      "rows": 1000,                         # rows of data.jsonl
      "counts": {"label": {"harmful": 900, "benign": 100}, "category": {...}, "language": {...}, "source": {...}},
      "sources": {"safechain": {"path": "UWNSL/SafeChain", "read": 40000, "candidates": 38000, "rows": 1000}},
      "rejected": {"unfinished": 12, "near_duplicate": 40, ...},    # by reason; the rows are in rejected.jsonl
      "understanding": {"rows": 1000, "changed": 15},               # PU cut by the builder; beyond the first sentence
      "overlaps": {"rows": 3, "by_set": {"strongreject": 3}},       # the pairs are in overlaps.jsonl
      "duplicates": {"rows": 40},                                   # the pairs are in duplicates.jsonl
      "assessor": {
        "kind": "openai_compatible" | "local" | "offline",
        "model": "gpt-4o" | null,
        "prompt": "assess-1:3f2a...",       # name and digest of the prompt file; null offline
        "statement": "one sentence for readers on who assessed",
        "kept": 0,                          # rows whose source held an assessment already (r1-act, alttrain-seed)
        "assessed": 1000, "set_aside": 7, "attempts": 1030,
        "prompt_tokens": 300000, "completion_tokens": 40000, "cost_usd": 1.15 | null
      },
      "tokens": null | {                    # with the config's tokenizer; null without one
        "tokenizer": "...",
        "prompt" | "problem_understanding" | "harmfulness_assessment" | "conditional_reasoning" | "answer" | "total":
          {"mean": 21.3, "p5": 9.0, "p50": 20.0, "p95": 44.0, "max": 71.0,
           "histogram": {"edges": [...], "counts": [...]}}
      },
      "variants": {"no_ha": {"file": "variants/no_ha.jsonl", "rows": 1000, "label": {"harmful": 900, "benign": 100}}}
    }

Beside it in the build's folder: ``data.jsonl`` (the rows, columns of :mod:`axolotl_alttrain.format.rows` and
``assessor``),
``rejected.jsonl`` (``id``, ``source``, ``reason``, ``detail``, ``instruction``), ``overlaps.jsonl``
(``id``, ``source``, ``instruction``, ``set``, ``prompt_id``, ``prompt``, ``kind``, ``similarity``),
``duplicates.jsonl`` (``id``, ``source``, ``of``), ``assessments.jsonl`` (the store that a rerun resumes from).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessor, Outcome
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.output.token_counts import PARTS, length_distribution
from axolotl_alttrain.format.example import AltTrainExample

_PACKAGES = ("axolotl-alttrain", "datasets", "pysbd", "datasketch", "openai", "transformers")


@dataclass
class Tally:
    """What is counted while the rows of one file are written."""

    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("label", "category", "language", "source")}
    )
    rows: int = 0
    changed: int = 0
    kept: int = 0
    lengths: dict[str, list[int]] = field(default_factory=lambda: {part: [] for part in PARTS})

    def add(
        self, example: AltTrainExample, changed: bool, kept: bool, lengths: Mapping[str, int] | None = None
    ) -> None:
        """Count one row: whether its PU was widened, whether its assessment is the source's own, its lengths."""
        self.rows += 1
        self.changed += changed
        self.kept += kept
        for name, counter in self.counts.items():
            counter[str(getattr(example, name) or "unknown")] += 1
        for part, number in (lengths or {}).items():
            self.lengths[part].append(number)


@dataclass
class Usage:
    """What the assessor was asked, summed over the outcomes that the build used."""

    keys: set[str] = field(default_factory=set)
    assessed: int = 0
    set_aside: int = 0
    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; rows with the same query share one."""
        if outcome.key in self.keys:
            return
        self.keys.add(outcome.key)
        self.assessed += 1
        self.set_aside += outcome.fault is not None
        self.attempts += outcome.attempts
        self.prompt_tokens += outcome.prompt_tokens
        self.completion_tokens += outcome.completion_tokens


def cost_usd(config: BuildConfig, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Price of so many tokens; None where the config gives no prices."""
    price_in = getattr(config.assessor, "price_in", None)
    price_out = getattr(config.assessor, "price_out", None)
    if price_in is None or price_out is None:
        return None
    return round((prompt_tokens * price_in + completion_tokens * price_out) / 1e6, 4)


def make_report(
    config: BuildConfig,
    assessor: Assessor,
    tally: Tally,
    usage: Usage,
    sources: Mapping[str, Mapping[str, Any]],
    rejected: Mapping[str, int],
    overlaps: Mapping[str, int],
    variants: Mapping[str, Any],
) -> dict[str, Any]:
    """The report in the shape above."""
    tokens = None
    if config.tokenizer:
        tokens = {"tokenizer": config.tokenizer} | {part: length_distribution(tally.lengths[part]) for part in PARTS}
    by_name = {name: dict(sorted(counter.items())) for name, counter in tally.counts.items()}
    return {
        "name": config.name,
        "seed": config.seed,
        "config": config.model_dump(mode="json", exclude={"out"}),
        "versions": {name.replace("-", "_"): found for name in _PACKAGES if (found := _version(name))},
        "rows": tally.rows,
        "counts": by_name,
        "sources": {name: {**found, "rows": by_name["source"].get(name, 0)} for name, found in sources.items()},
        "rejected": dict(sorted(rejected.items())),
        "understanding": {"rows": tally.rows - tally.kept, "changed": tally.changed},
        "overlaps": {"rows": sum(overlaps.values()), "by_set": dict(sorted(overlaps.items()))},
        "duplicates": {"rows": rejected.get("near_duplicate", 0)},
        "assessor": {
            "kind": assessor.kind,
            "model": assessor.model,
            "prompt": assessor.prompt,
            "statement": assessor.statement,
            "kept": tally.kept,
            "assessed": usage.assessed,
            "set_aside": usage.set_aside,
            "attempts": usage.attempts,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cost_usd": cost_usd(config, usage.prompt_tokens, usage.completion_tokens),
        },
        "tokens": tokens,
        "variants": dict(variants),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
