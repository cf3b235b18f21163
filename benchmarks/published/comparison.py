"""``fit``'s estimate of each published measurement, and the size of the errors."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.fit.duration import Batch, optimizer_seconds, seconds_of
from axolotl_alttrain.fit.gpus import find_gpu
from axolotl_alttrain.fit.memory import CONTEXT_PART, FRAGMENTS_PART, GIB, Model, Part, memory_parts, read_model
from benchmarks.published.points import Point, Published, Source

# Parts of the estimate that a source's figure does not include.
_NOT_COUNTED = {"allocated": (CONTEXT_PART, FRAGMENTS_PART), "reserved": (CONTEXT_PART,), "process": ()}
_DEFAULTS = {"base_model": "published", "lora_alpha": 16, "lora_dropout": 0.0, "micro_batch_size": 1, "num_epochs": 1}
TUNING, CHECK, OUTSIDE = "tuning", "check", "outside"


@dataclass(frozen=True)
class Row:
    """One measurement with its estimate; None where there is none.

    Attributes:
        point: The measurement.
        half: ``tuning``, ``check`` or ``outside``.
        published: Peak memory, in GiB.
        memory: Estimated peak memory, in GiB.
        speed: Estimated tokens per second.
    """

    point: Point
    half: str
    published: float
    memory: float | None
    speed: float | None

    @property
    def error(self) -> float | None:
        """Relative error of the memory estimate; positive if it is too high."""
        return None if self.memory is None else self.memory / self.published - 1

    @property
    def factor(self) -> float | None:
        """Estimated by published speed."""
        if self.speed is None or self.point.tokens_per_second is None:
            return None
        return self.speed / self.point.tokens_per_second


@dataclass(frozen=True)
class Errors:
    """Errors over some measurements.

    Attributes:
        points: Measurements of memory.
        median: Median of the absolute relative errors of memory.
        worst: Their maximum.
        speeds: Measurements of speed.
        factor: The largest factor between estimated and published speed, in either direction.
    """

    points: int
    median: float
    worst: float
    speeds: int
    factor: float | None


def compare(published: Published) -> list[Row]:
    """Estimate all measurements. Those that count alternate between the two halves, in the file's order."""
    models: dict[str, Model] = {}
    rows, counted = [], 0
    for point in published.points:
        half = OUTSIDE
        if not point.outside:
            half = (TUNING, CHECK)[counted % 2]
            counted += 1
        rows.append(_row(point, half, published, models))
    return rows


def errors(rows: Iterable[Row]) -> Errors:
    """Summarize the errors of rows."""
    rows = list(rows)
    memory = [abs(row.error) for row in rows if row.error is not None]
    factors = [max(row.factor, 1 / row.factor) for row in rows if row.factor is not None]
    return Errors(
        points=len(memory),
        median=statistics.median(memory),
        worst=max(memory),
        speeds=len(factors),
        factor=max(factors, default=None),
    )


def _row(point: Point, half: str, published: Published, models: dict[str, Model]) -> Row:
    source = published.sources[point.source]
    unit = 1e9 / GIB if (point.unit or source.unit) == "GB" else 1.0
    memory = speed = None
    if point.tokens is not None:
        cfg, gpu = _cfg(source, point)
        model = _model(published.models[point.model], cfg, models)
        if point.peak_tokens is None:
            logit_bytes = point.logit_bytes or source.logit_bytes
            memory = _gib(memory_parts(model, cfg, _product(point.tokens), logit_bytes=logit_bytes), source)
        if gpu and point.tokens_per_second:
            rows, tokens = point.tokens[0], _product(point.tokens)
            card = find_gpu(gpu)
            seconds = seconds_of(model, cfg, Batch(rows, tokens, tokens), card)
            speed = tokens / (seconds + optimizer_seconds(model, cfg, card) / cfg.gradient_accumulation_steps)
    return Row(point, half, point.memory * unit, memory, speed)


def _cfg(source: Source, point: Point) -> tuple[Any, str | None]:
    """The settings as a recipe, and the GPU's name."""
    from axolotl.utils.dict import DictDefault

    settings = {**_DEFAULTS, **source.settings, **point.settings}
    gpu = settings.pop("gpu", None)
    return DictDefault(settings), gpu


def _model(config: dict[str, Any], cfg: Any, models: dict[str, Model]) -> Model:
    from transformers import AutoConfig

    key = json.dumps([config, dict(cfg)], sort_keys=True)
    if key not in models:
        models[key] = read_model(AutoConfig.for_model(**config), cfg)
    return models[key]


def _gib(parts: list[Part], source: Source) -> float:
    return sum(part.bytes for part in parts if part.name not in _NOT_COUNTED[source.counts]) / GIB


def _product(tokens: tuple[int, int]) -> int:
    return tokens[0] * tokens[1]
