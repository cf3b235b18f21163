"""Published measurements from ``benchmarks/published_memory.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.yaml_file import read_mapping

POINTS_FILE = Path(__file__).resolve().parents[1] / "published_memory.yml"

Unit = Literal["GiB", "GB"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """A page with measurements.

    Attributes:
        title: Name of the page.
        url: Its address.
        commit: Commit or version, with the date, or ``unknown``.
        unit: Unit of its memory figures.
        counts: Tensors (``allocated``), the allocator's blocks (``reserved``), or all of the process (``process``).
        settings: Axolotl's keys for the settings that its points share; ``gpu`` is a name of ``fit --gpu``.
        logit_bytes: Peak bytes per logit of a loss that Axolotl does not have.
    """

    title: str
    url: str
    commit: str
    unit: Unit
    counts: Literal["allocated", "reserved", "process"]
    settings: dict[str, Any] = Field(default_factory=dict)
    logit_bytes: float | None = None


class Point(_Strict):
    """One measurement.

    Attributes:
        id: A short name.
        source: Key of its source.
        model: Key of its model.
        tokens: Rows and tokens per row of a forward pass, including padding; None if unknown.
        peak_tokens: ``unknown`` if ``tokens`` is an average, which says nothing about the peak.
        memory: Peak memory as published.
        unit: Unit of ``memory``, if it differs from the source's.
        tokens_per_second: Speed as published; None if not published.
        settings: Axolotl's keys, beside those of the source.
        logit_bytes: As in the source.
        assumed: A setting that the source does not state, with the reason for the assumption.
        outside: Why no recipe can ask for this training, so that the point does not count.
    """

    id: str
    source: str
    model: str
    tokens: tuple[int, int] | None = None
    peak_tokens: Literal["unknown"] | None = None
    memory: float
    unit: Unit | None = None
    tokens_per_second: float | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    logit_bytes: float | None = None
    assumed: str = ""
    outside: str = ""


class Published(_Strict):
    """All measurements, with the sources and the models' configs in transformers' keys."""

    sources: dict[str, Source]
    models: dict[str, dict[str, Any]]
    points: list[Point]


def read_published(path: Path = POINTS_FILE) -> Published:
    """Read the measurements.

    Raises:
        AltTrainError: A key is missing, unknown or of the wrong type, or a point names an unknown source or model.
    """
    try:
        found = Published.model_validate(read_mapping(path, "sources, models and points"))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise AltTrainError(f"{path}: {field}: {first['msg']}") from None
    for point in found.points:
        if point.source not in found.sources:
            raise AltTrainError(f"{path}: {point.id}: unknown source {point.source!r}; add it to 'sources:'")
        if point.model not in found.models:
            raise AltTrainError(f"{path}: {point.id}: unknown model {point.model!r}; add it to 'models:'")
    return found
