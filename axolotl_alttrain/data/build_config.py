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

    query: str = Field(default="instruction", description="column of the query")
    response: str | None = Field(
        default=None, description="column of thought and answer: the thought in think tags, then the answer"
    )
    thought: str | None = Field(default=None, description="column of the thought, if it has its own; needs `answer`")
    answer: str | None = Field(default=None, description="column of the answer, if it has its own; needs `thought`")
    label: str | None = Field(default=None, description="column of the label")
    category: str | None = Field(default=None, description="column of the category")
    language: str | None = Field(default=None, description="column of the language")
    id: str | None = Field(default=None, description="column of the ID; without one, IDs are made from the queries")

    @model_validator(mode="after")
    def _one_way(self) -> ColumnMap:
        if (self.response is None) == (self.thought is None) or (self.thought is None) != (self.answer is None):
            raise ValueError("give either 'response', or 'thought' and 'answer'")
        return self


class SourceConfig(_Strict):
    """A source of traces: the name of a preset, or a path (Hub ID or local file) with a column map."""

    name: str | None = Field(default=None, description="name in rows and reports; otherwise `preset` or `path`")
    preset: Literal["safechain", "star1", "r1-act", "alttrain-seed", "traces"] | None = Field(
        default=None, description="a known source, with its path and columns; `traces` needs a `path`"
    )
    path: str | None = Field(default=None, description="Hub ID or local file; without a preset it needs `columns`")
    split: str = Field(default="train", description="split of a Hub dataset")
    subset: str | None = Field(default=None, description="configuration of a Hub dataset")
    streaming: bool = Field(default=True, description="whether a Hub dataset is streamed instead of downloaded first")
    columns: ColumnMap | None = Field(
        default=None, description="column map; give `response`, or `thought` and `answer`"
    )
    label: Label | None = Field(default=None, description="label of rows that have none")
    labels: dict[str, Label] | None = Field(default=None, description="label of each value in the column of labels")
    take: tuple[Label, ...] = Field(default=("harmful", "benign"), description="labels whose rows are taken")
    language: str | None = Field(
        default=None, description="language of rows that name none; otherwise the preset's, or detected"
    )
    structure: Literal["keep", "rebuild"] | None = Field(
        default=None, description="what happens to rows that already have the steps; `rebuild` assesses them anew"
    )
    limit: int | None = Field(default=None, ge=1, description="maximum number of rows to take")

    @model_validator(mode="after")
    def _complete(self) -> SourceConfig:
        if self.preset is None and (self.path is None or self.columns is None):
            raise ValueError("a source without 'preset' needs 'path' and 'columns'")
        if self.preset == "traces" and self.path is None:
            raise ValueError("the preset 'traces' needs the 'path' of a file of traces")
        return self


class OfflineConfig(_Strict):
    """No model: the source's own label and category, put into varied wording."""

    kind: Literal["offline"] = Field(default="offline", description="kind of assessor")


class OpenAIConfig(_Strict):
    """An OpenAI-compatible endpoint. Prices are in US dollars per million tokens."""

    kind: Literal["openai_compatible"] = Field(description="kind of assessor")
    model: str = Field(description="name that the endpoint gives the model")
    base_url: str | None = Field(default=None, description="address of the endpoint; otherwise OpenAI's")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds the API key")
    temperature: float = Field(default=0.0, description="sampling temperature")
    max_tokens: int = Field(default=300, ge=16, description="maximum tokens of a reply")
    response_format: Literal["json_object", "none"] = Field(
        default="json_object", description="whether the endpoint's JSON mode is used; `none` for servers without one"
    )
    concurrency: int = Field(default=16, ge=1, description="requests at the same time")
    requests_per_minute: float | None = Field(default=None, gt=0, description="maximum rate of requests")
    timeout_s: float = Field(default=60.0, gt=0, description="seconds after which a request is repeated")
    max_retries: int = Field(default=8, ge=0, description="repetitions of a failed request")
    attempts: int = Field(default=3, ge=1, description="replies requested for a query until one is usable")
    price_in: float | None = Field(
        default=None, ge=0, description="US dollars per million tokens sent, for cost estimates"
    )
    price_out: float | None = Field(default=None, ge=0, description="US dollars per million tokens received")

    @field_serializer("base_url")
    def _without_credentials(self, value: str | None) -> str | None:
        return value and server_address(value)


class LocalConfig(_Strict):
    """A local Hugging Face model, decoded greedily in batches."""

    kind: Literal["local"] = Field(description="kind of assessor")
    model: str = Field(description="Hub ID or folder")
    batch_size: int = Field(default=8, ge=1, description="queries in a batch")
    max_tokens: int = Field(default=300, ge=16, description="maximum tokens of a reply")
    attempts: int = Field(default=2, ge=1, description="replies requested for a query until one is usable")


AssessorConfig = Annotated[OfflineConfig | OpenAIConfig | LocalConfig, Field(discriminator="kind")]


class VariantConfig(_Strict):
    """A second dataset from the same assessments."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="name of its file")
    harmful: int | None = Field(default=None, ge=0, description="harmful rows; otherwise as many as the build has")
    benign: int | None = Field(default=None, ge=0, description="the same for benign rows")
    omit: tuple[Step, ...] = Field(
        default=(),
        description="steps to leave out; without all three the answer alone is trained, after an empty thought",
    )
    rephrase: bool = Field(default=False, description="draw another stop statement for harmful rows")
    reassess: bool = Field(
        default=False, description="replace HA by the offline assessor's wording of label and category, in English rows"
    )
    direct_refusal: bool = Field(
        default=False, description="one fixed thought and refusal in all harmful rows, without PU and HA"
    )

    @model_validator(mode="after")
    def _steps_remain(self) -> VariantConfig:
        if self.reassess and "harmfulness_assessment" in self.omit:
            raise ValueError("'reassess' rewrites the step that 'omit' leaves out; remove one of them")
        if self.direct_refusal and self.rephrase:
            raise ValueError("'direct_refusal' has no stop statement for 'rephrase'; remove one of them")
        return self


class BuildConfig(_Strict):
    """A whole build. The defaults are the paper's numbers if it gives them (900 harmful rows, 100 benign)."""

    name: str = Field(default="alttrain", description="name of the dataset")
    sources: tuple[SourceConfig, ...] = Field(min_length=1, description="where the traces come from")
    harmful: int | Literal["all"] = Field(default=900, description="harmful rows; `all` takes every usable one")
    benign: int | Literal["all"] = Field(default=100, description="the same for benign rows")
    seed: int = Field(default=1995, description="seed of all random choices")
    assessor: AssessorConfig = Field(default=OfflineConfig(), description="who assesses the queries")
    refusals: Literal["drawn", "assessor"] = Field(
        default="drawn",
        description="stop statements and refusals: drawn from a list, or written by the assessor for each query",
    )
    strategy: Literal["proportional", "balanced"] = Field(
        default="proportional",
        description="categories and languages in the share that the sources have, or in equal numbers while they last",
    )
    tokenizer: str | None = Field(default=None, description="Hub ID or folder of the tokenizer that counts lengths")
    max_tokens: int | None = Field(default=None, ge=1, description="longest row; needs `tokenizer`")
    near_duplicates: float | None = Field(
        default=0.8,
        ge=0.5,
        le=1,
        description="Jaccard similarity from which a query is a near-duplicate; `null` keeps them all",
    )
    overlap: bool = Field(default=True, description="whether queries that resemble evaluation prompts are dropped")
    evaluation_sets: tuple[str, ...] = Field(
        default=(), description="evaluation sets to compare with; otherwise all there are"
    )
    evaluation_dir: str | None = Field(
        default=None, description="folder with publishers' files, compared with beside the embedded probes"
    )
    variants: tuple[VariantConfig, ...] = Field(
        default=(), description="further datasets from the same rows and assessments"
    )
    out: str = Field(default="outputs/alttrain-data", description="folder of the output, below the current folder")

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
