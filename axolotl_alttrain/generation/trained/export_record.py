"""The record inside an exported model: which weights these are. ``export`` writes it, the evaluator reads it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic

RECORD_FILE = "alttrain_export.json"
Form = Literal["as-trained", "merged-full"]


class Source(BaseModel):
    """A model or adapter that an export was made from.

    Attributes:
        name: Hub id, or the name of a local folder without its path.
        identity: Hub id and commit, or a folder's name and digest, see
            :func:`axolotl_alttrain.generation.identity.identity`.
        location: Hub id, or the folder's path relative to the exported one, or its name where that path would lead
            through the root of the file system. The folder may be gone when the record is read.
        commit: The commit of a hub id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    identity: str
    location: str
    commit: str | None = None


class ExportRecord(BaseModel):
    """Which weights an exported folder holds; ``alttrain_export.json``.

    Attributes:
        format: Version of this record.
        form: ``as-trained`` computes what was trained; ``merged-full`` is the adapter on the full-precision base.
        description: The form in words, a noun phrase: ``adapter merged into the NF4 base it was trained on``.
        base: The base model.
        adapter: The adapter.
        trained_quantization: bitsandbytes' ``quantization_config`` during training; None if the base was not quantised.
        training_known: Whether the adapter came with the config that says how the base was loaded during training.
        base_quantization: The same, for the base to which the adapter was added here; None for full precision.
        dtype: Of the saved weights: ``bfloat16``, ``float16`` or ``float32``.
        vocab_size: Rows of the saved embeddings.
        thinking: Variables of the chat template with which the adapter was trained, such as
            ``{"enable_thinking": True}``; the saved template has them as defaults.
        versions: Of this package and of the libraries that computed the weights.
        created: When the export was made, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    form: Form
    description: str
    base: Source
    adapter: Source
    trained_quantization: dict[str, Any] | None
    base_quantization: dict[str, Any] | None
    training_known: bool = True
    dtype: Literal["bfloat16", "float16", "float32"]
    vocab_size: int
    thinking: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str]
    created: datetime

    @property
    def exact(self) -> bool:
        """Whether the weights are known to compute what was trained, up to rounding to ``dtype``."""
        return self.training_known and (self.form == "as-trained" or self.trained_quantization is None)


def write_export_record(record: ExportRecord, folder: Path) -> None:
    """Write the record of an exported folder."""
    write_atomic(folder / RECORD_FILE, record.model_dump_json(indent=2) + "\n")


def read_export_record(folder: str | Path) -> ExportRecord | None:
    """The record of an exported folder; None if the folder has none.

    Raises:
        AltTrainError: The record is broken, or of a newer version.
    """
    path = Path(folder) / RECORD_FILE
    try:
        return ExportRecord.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise AltTrainError(f"{path}: {field}: {first['msg']}; repeat 'axolotl alttrain export'") from None
