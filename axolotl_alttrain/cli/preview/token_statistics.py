"""Statistics of a recipe's whole dataset: rows, tokens per segment, dropped rows, training steps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from axolotl_alttrain.cli.preview.preview_rows import Example, PreviewRow
from axolotl_alttrain.cli.recipe import Recipe
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.fit.duration import optimizer_steps
from axolotl_alttrain.fit.epoch_batches import epoch_batches
from axolotl_alttrain.fit.gpus import needed_gpus
from axolotl_alttrain.format.row_reader import UnreadCount
from axolotl_alttrain.format.segments import LABELS_OF_SEGMENTS

PERCENTILES = (5, 50, 95, 100)


@dataclass(frozen=True)
class TokenSpread:
    """Tokens of one segment per row, as percentiles and the longest, and the segment's share of all tokens, 0 to 1."""

    p5: float
    p50: float
    p95: float
    max: float
    share: float


@dataclass(frozen=True)
class KindShare:
    """Rows of one kind, and their share of the tokens that carry loss, 0 to 1."""

    rows: int
    trained: float


@dataclass(frozen=True)
class TrainingSteps:
    """What is trained, over all GPUs.

    Attributes:
        gpus: Number of GPUs, or of processes on a CPU.
        rows, held_out: Rows for training and for evaluation.
        batch_rows: Rows per optimizer step; a mean where rows are packed.
        epochs, steps: How long: epochs as in the config, optimizer steps.
        exact: Whether ``steps`` is exact.
    """

    gpus: int
    rows: int
    held_out: int
    batch_rows: float
    epochs: float
    steps: int
    exact: bool


@dataclass(frozen=True)
class PreviewSummary:
    """Statistics of a recipe's whole dataset.

    Attributes:
        rows, by_label, by_category, by_language: Numbers of rows; categories by label.
        tokens: By segment, and for the whole ``row``.
        kinds: By kind of row, its number of rows and its share of the tokens that carry loss.
        trained_share: Share of the tokens that carry loss, 0 to 1.
        sequence_len, too_long, excess_length_strategy: The limit in tokens, rows over it, and what happens to them.
        training: Steps.
        other_datasets: Types of the datasets that are not counted.
        unread: Rows by field that is neither trained nor in the prompt.
        left_out: Rows left out because their last turn is marked as untrained.
    """

    rows: int
    by_label: dict[str, int]
    by_category: dict[str, dict[str, int]]
    by_language: dict[str, int]
    tokens: dict[str, TokenSpread]
    kinds: dict[str, KindShare]
    trained_share: float
    sequence_len: int
    too_long: int
    excess_length_strategy: str | None
    training: TrainingSteps
    other_datasets: list[str]
    unread: dict[str, int]
    left_out: int


def summarize(
    recipe: Recipe, rows: Sequence[PreviewRow], unread: UnreadCount | None = None, gpus: int | None = None
) -> PreviewSummary:
    """The statistics.

    Args:
        recipe: The recipe.
        rows: All its rows.
        unread: What of the rows is not trained.
        gpus: Number of GPUs; by default as many as the recipe needs.

    Raises:
        AltTrainError: There are no rows.
    """
    if not rows:
        raise AltTrainError("datasets: there are no rows; add at least one example")
    cfg = recipe.cfg
    truncated = cfg.excess_length_strategy == "truncate"
    kept = [row for row in rows if truncated or not row.dropped]
    names = [name for name in LABELS_OF_SEGMENTS if any(s.name == name for row in rows for s in row.segments)]
    counts = {name: [sum(len(s.ids) for s in row.segments if s.name == name) for row in rows] for name in names}
    totals = [row.tokens for row in rows]
    prompt = sum(len(s.ids) for row in kept for s in row.segments if not s.trained)
    return PreviewSummary(
        rows=len(rows),
        by_label=_counts(rows, lambda example: example.label),
        by_category={
            label: _counts(
                [row for row in rows if row.example.label == label], lambda example: example.category or "none given"
            )
            for label in sorted({row.example.label for row in rows}, reverse=True)
        },
        by_language=_counts(rows, lambda example: example.language or "none given"),
        tokens={name: _percentiles(values, sum(totals)) for name, values in (counts | {"row": totals}).items()},
        kinds=_kinds(kept),
        trained_share=1 - prompt / max(1, sum(row.tokens for row in kept)),
        sequence_len=cfg.sequence_len,
        too_long=len(rows) - sum(not row.dropped for row in rows),
        excess_length_strategy=cfg.excess_length_strategy,
        training=_training(recipe, [row.tokens for row in kept], gpus or needed_gpus(cfg)),
        other_datasets=recipe.others,
        unread=dict(sorted(unread.fields.items())) if unread else {},
        left_out=unread.left_out if unread else 0,
    )


def _training(recipe: Recipe, lengths: list[int], gpus: int) -> TrainingSteps:
    """Training rows and optimizer steps."""
    cfg = recipe.cfg
    size = cfg.val_set_size or 0
    held_out = int(size) if size > 1 else math.ceil(len(lengths) * size)
    rows = len(lengths) - held_out
    per_batch, accumulate = int(cfg.micro_batch_size), int(cfg.gradient_accumulation_steps or 1)
    batches = len(epoch_batches(lengths[:rows], cfg))  # the choice of held-out rows changes packed batches slightly
    per_epoch, steps = optimizer_steps(batches, cfg, gpus)
    return TrainingSteps(
        gpus=gpus,
        rows=rows,
        held_out=held_out,
        batch_rows=round(rows / per_epoch, 1) if cfg.sample_packing else per_batch * accumulate * gpus,
        epochs=cfg.num_epochs,
        steps=steps,
        exact=not (cfg.sample_packing or recipe.others or cfg.dataset_exact_deduplication),
    )


def _kinds(rows: Sequence[PreviewRow]) -> dict[str, KindShare]:
    trained: Counter[str] = Counter()
    for row in rows:
        trained[row.kind] += sum(len(segment.ids) for segment in row.segments if segment.trained)
    numbers = Counter(row.kind for row in rows)
    return {kind: KindShare(numbers[kind], trained[kind] / max(1, trained.total())) for kind in numbers}


def _counts(rows: Sequence[PreviewRow], key: Callable[[Example], str]) -> dict[str, int]:
    return dict(Counter(key(row.example) for row in rows).most_common())


def _percentiles(values: Sequence[int], all_tokens: int) -> TokenSpread:
    p5, median, p95, longest = np.percentile(values, PERCENTILES).tolist()
    return TokenSpread(p5, median, p95, longest, sum(values) / all_tokens)
