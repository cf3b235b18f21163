"""The config of ``axolotl alttrain build``. Unknown keys are errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator, model_validator

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Label
from axolotl_alttrain.generation.server.openai_client import server_address
from axolotl_alttrain.storage.yaml_file import OUTSIDE, leaves_folder, read_mapping

_FAULTS = 5  # named in one message
Step = Literal["problem_understanding", "harmfulness_assessment", "conditional_reasoning"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnMap(_Strict):
    """The columns of a source.

    Give either ``response`` (the thought in think tags, then the answer; the opening tag may be missing), or
    ``thought`` and ``answer``.
    """

    query: str = "instruction"
    response: str | None = None
    thought: str | None = None
    answer: str | None = None
    label: str | None = None
    category: str | None = None
    language: str | None = None
    id: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ColumnMap:
        if (self.response is None) == (self.thought is None) or (self.thought is None) != (self.answer is None):
            raise ValueError("give either 'response', or 'thought' and 'answer'")
        return self


class SourceConfig(_Strict):
    """A source of traces: the name of a preset, or a path (Hub ID or local file) with a column map."""

    name: str | None = None
    preset: Literal["safechain", "star1", "r1-act", "alttrain-seed", "traces"] | None = None
    path: str | None = None
    split: str = "train"
    subset: str | None = None
    streaming: bool = True
    columns: ColumnMap | None = None
    label: Label | None = None
    labels: dict[str, Label] | None = None
    take: tuple[Label, ...] = ("harmful", "benign")
    language: str | None = None
    structure: Literal["keep", "rebuild"] | None = None
    limit: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> SourceConfig:
        if self.preset is None and (self.path is None or self.columns is None):
            raise ValueError("a source without 'preset' needs 'path' and 'columns'")
        if self.preset == "traces" and self.path is None:
            raise ValueError("the preset 'traces' needs the 'path' of a file of traces")
        return self


class OfflineConfig(_Strict):
    """No model: the source's own label and category, put into varied wording."""

    kind: Literal["offline"] = "offline"


class OpenAIConfig(_Strict):
    """An OpenAI-compatible endpoint. Prices are in US dollars per million tokens."""

    kind: Literal["openai_compatible"]
    model: str
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    temperature: float = 0.0
    max_tokens: int = Field(300, ge=16)
    response_format: Literal["json_object", "none"] = "json_object"
    concurrency: int = Field(16, ge=1)
    requests_per_minute: float | None = Field(None, gt=0)
    timeout_s: float = Field(60.0, gt=0)
    max_retries: int = Field(8, ge=0)
    attempts: int = Field(3, ge=1)
    price_in: float | None = Field(None, ge=0)
    price_out: float | None = Field(None, ge=0)

    @field_serializer("base_url")
    def _without_credentials(self, value: str | None) -> str | None:
        return value and server_address(value)


class LocalConfig(_Strict):
    """A local Hugging Face model, decoded greedily in batches."""

    kind: Literal["local"]
    model: str
    batch_size: int = Field(8, ge=1)
    max_tokens: int = Field(300, ge=16)
    attempts: int = Field(2, ge=1)


AssessorConfig = Annotated[OfflineConfig | OpenAIConfig | LocalConfig, Field(discriminator="kind")]


class VariantConfig(_Strict):
    """A second dataset from the same assessments.

    Attributes:
        name: Of its file.
        harmful, benign: Its size, where it differs from ``data.jsonl``.
        omit: Steps to leave out; without all three, the answer alone is trained, after an empty thought.
        rephrase: Draw another stop statement for harmful rows.
        reassess: Replace HA by the offline assessor's wording of label and category.
        direct_refusal: Answer every harmful row with one fixed thought and refusal.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    harmful: int | None = Field(None, ge=0)
    benign: int | None = Field(None, ge=0)
    omit: tuple[Step, ...] = ()
    rephrase: bool = False
    reassess: bool = False
    direct_refusal: bool = False

    @model_validator(mode="after")
    def _steps_remain(self) -> VariantConfig:
        if self.reassess and "harmfulness_assessment" in self.omit:
            raise ValueError("'reassess' rewrites the step that 'omit' leaves out; remove one of them")
        if self.direct_refusal and self.rephrase:
            raise ValueError("'direct_refusal' has no stop statement for 'rephrase'; remove one of them")
        return self


class BuildConfig(_Strict):
    """A whole build. The defaults are the paper's numbers if it gives them (900 harmful rows, 100 benign)."""

    name: str = "alttrain"
    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    harmful: int | Literal["all"] = 900
    benign: int | Literal["all"] = 100
    seed: int = 1995
    assessor: AssessorConfig = OfflineConfig()
    refusals: Literal["drawn", "assessor"] = "drawn"
    strategy: Literal["proportional", "balanced"] = "proportional"
    tokenizer: str | None = None
    max_tokens: int | None = Field(None, ge=1)
    near_duplicates: float | None = Field(0.8, ge=0.5, le=1)
    overlap: bool = True
    evaluation_sets: tuple[str, ...] = ()
    evaluation_dir: str | None = None
    variants: tuple[VariantConfig, ...] = ()
    out: str = "outputs/alttrain-data"

    @field_validator("out")
    @classmethod
    def _below_here(cls, value: str) -> str:
        if leaves_folder(value):
            raise ValueError(f"{value} {OUTSIDE}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> BuildConfig:
        names = [source.name or source.preset or source.path for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources have the same name ({', '.join(map(str, names))}); give each a 'name'")
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise ValueError("two variants have the same name; give each its own")
        if self.max_tokens and not self.tokenizer:
            raise ValueError("'max_tokens' needs a 'tokenizer' to count with; set it")
        if self.refusals == "assessor" and self.assessor.kind == "offline":
            raise ValueError("the offline assessor writes no refusals; set 'refusals: drawn'")
        return self

    def size(self, label: Label, variant: VariantConfig | None = None) -> int | None:
        """Rows of a label in ``data.jsonl`` or a variant; None for all usable rows."""
        count: int | str | None = getattr(variant, label) if variant else None
        count = getattr(self, label) if count is None else count
        return count if isinstance(count, int) else None

    def needed(self, label: Label) -> int | None:
        """Rows of a label that the build and its variants need together; None for all usable rows."""
        if (own := self.size(label)) is None:
            return None
        return max([own, *(self.size(label, variant) or 0 for variant in self.variants)])


def load_config(path: Path) -> BuildConfig:
    """Read and check a build's config.

    Raises:
        AltTrainError: The file is not YAML, or a key or value is not allowed; the message names each.
    """
    raw = read_mapping(path, "'sources' and the other keys of a build")
    try:
        return BuildConfig.model_validate(raw)
    except ValidationError as error:
        faults = [_said(".".join(map(str, fault["loc"])), fault["type"], fault["msg"]) for fault in error.errors()]
        more = f"; and {len(faults) - _FAULTS} more" if len(faults) > _FAULTS else ""
        said = "; ".join(faults[:_FAULTS])
        raise AltTrainError(f"{path}: {said}{more}; docs/data.md describes the keys") from None


def _said(field: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"'{field}' is no key of a build"
    if kind == "missing":
        return f"'{field}' is missing"
    return f"'{field or 'config'}': {message.removeprefix('Value error, ')}"
