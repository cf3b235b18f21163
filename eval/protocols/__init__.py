"""Protocols of papers: how each evaluates and what it reports, one YAML file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.yaml_file import read_mapping

PROTOCOLS = Path(__file__).parent
UNKNOWN = "unknown"
_TOGETHER = {"suite": "sets", "sets": "suite"}  # both add sets


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PaperResult(BaseModel, frozen=True):
    """One row of a paper's table, in percent.

    Attributes:
        training: ``none`` or the name of the method.
        harmful: Harmful responses; where the paper has no such average, the mean over ``sets``.
        over_refusal, reasoning: As the paper averages them; None where it has none.
        sets: Harmful responses by set.
    """

    training: str
    harmful: float
    over_refusal: float | None = None
    reasoning: float | None = None
    sets: dict[str, float] = {}

    @model_validator(mode="before")
    @classmethod
    def _mean(cls, row: Any) -> Any:
        sets = row.get("sets") if isinstance(row, Mapping) else None
        return {"harmful": round(fmean(sets.values()), 2), **row} if sets else row

    @property
    def trained(self) -> bool:
        """Whether the row is of a model after training."""
        return self.training != "none"

    @property
    def words(self) -> str:
        """The training, for people."""
        return self.training if self.trained else "no training"


class Backbone(_Strict):
    """The rows of one base model: its name in the paper and its Hub IDs."""

    name: str
    hub_ids: list[str]
    note: str = ""
    results: list[PaperResult]


class Published(_Strict):
    """A paper's table and where it stands; ``ablations`` and ``general`` are further tables, kept as they are."""

    source: str
    backbones: list[Backbone]
    ablations: list[dict[str, Any]] = []
    general: dict[str, Any] = {}


class Setting(_Strict):
    """A flag as the paper sets it: its value, None where that is unknown, and where it is stated or was looked for."""

    value: str | int | float | list[str] | None
    source: str

    @field_validator("value", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        return None if value == UNKNOWN else value


class Protocol(_Strict):
    """How a paper evaluates.

    Attributes:
        name: Of its file.
        title, paper, url: For people.
        flags: By name, the flags of the evaluator that it sets.
        differs: What the paper does and this evaluator does not, in sentences.
        published: Its results; None where they are unknown.
    """

    name: str
    title: str
    paper: str
    url: str
    flags: dict[str, Setting]
    differs: list[str]
    published: Published | None = Field(...)

    @field_validator("published", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        return None if value == UNKNOWN else value

    @property
    def unknown(self) -> list[str]:
        """The flags that the paper leaves open."""
        return [name for name, setting in self.flags.items() if setting.value is None]

    @property
    def words(self) -> str:
        """What is unknown and what differs, in sentences."""
        named = ", ".join(name.replace("_", " ") for name in self.unknown)
        parts = [f"Protocol of {self.title} ({self.paper})."]
        parts += [f"Unknown there, and as in the flags here: {named}."] if named else []
        return " ".join([*parts, *(f"{one[:1].upper()}{one[1:]}." for one in self.differs)])


@lru_cache(maxsize=1)
def protocols() -> dict[str, Protocol]:
    """All protocols by name."""
    found = {}
    for path in sorted(PROTOCOLS.glob("*.yml")):
        try:
            found[path.stem] = Protocol(name=path.stem, **read_mapping(path, "the fields of a protocol"))
        except ValidationError as error:
            first = error.errors()[0]
            raise AltTrainError(f"{path}: field '{'.'.join(map(str, first['loc']))}': {first['msg']}") from None
    return found


def protocol_named(name: str) -> Protocol:
    """One protocol.

    Raises:
        AltTrainError: There is none of this name.
    """
    if name not in protocols():
        raise AltTrainError(f"--protocol: found {name}; allowed: {', '.join(protocols())}")
    return protocols()[name]


def with_protocol(flags: Mapping[str, object], written: Mapping[str, str]) -> dict[str, object]:
    """The flags with those of their protocol; a flag whose value the paper leaves open stays as given.

    Args:
        flags: By field name, as texts or in their own types.
        written: How the user wrote each, for messages; a command line's flag by default.

    Raises:
        AltTrainError: The protocol is unknown, or a flag contradicts it.
    """
    if flags.get("protocol") is None:
        return dict(flags)
    protocol = protocol_named(str(flags["protocol"]))
    fixed = {name: one for name, one in protocol.flags.items() if one.value is not None}
    for name, value in flags.items():
        setting = fixed.get(name) or fixed.get(_TOGETHER.get(name, ""))
        if setting and value is not None and (name not in fixed or _plain(value) != _plain(setting.value)):
            where = written.get(name) or f"--{name.replace('_', '-')}"
            raise AltTrainError(
                f"{where} {_shown(value)} contradicts --protocol {protocol.name}, which has {_shown(setting.value)} "
                f"({setting.source}); remove one of the two"
            )
    return {**flags, **{name: one.value for name, one in fixed.items() if one.value != []}}


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [str(one) for one in value if one != "none"]  # --attacks none is the plain request
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def _shown(value: object) -> str:
    return (" ".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)
