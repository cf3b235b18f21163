"""A folder with a whole model: an export of ``axolotl alttrain export``, or another merge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from axolotl_alttrain.eval.weights.form import WeightsForm

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.loading import ModelSpec, find_model
from axolotl_alttrain.generation.quantization import quantization_name
from axolotl_alttrain.generation.trained.export_record import read_export_record


def form_of_folder(folder: str, engine: str) -> WeightsForm:
    """The form of the weights in a folder, from its record if it has one.

    Args:
        folder: Holds a whole model.
        engine: What loads it.

    Raises:
        AltTrainError: The record is broken.
    """
    record = read_export_record(folder)
    if record is None:
        return WeightsForm("merged", "merged folder, origin unknown", {"engine": engine})
    return WeightsForm(
        "exported" if record.exact else "merged-full",
        f"exported model, {record.description}, saved in {record.dtype}",
        {
            "engine": engine,
            "trained_on": quantization_name(record.trained_quantization) if record.training_known else "not recorded",
            "base_quantization": quantization_name(record.base_quantization),
            "adapter": record.adapter.identity,
            "adapter_name": record.adapter.name,
            "base": record.base.identity,
            "dtype": record.dtype,
        },
    )


@dataclass(frozen=True)
class RecordedBase:
    """The base that an export's record names.

    Attributes:
        model: Folder or Hub ID.
        commit: Of a Hub ID.
        problem: Why it is unavailable; empty if it is there.
    """

    model: str
    commit: str | None
    problem: str = ""


def base_of(folder: str) -> RecordedBase | None:
    """The base of an export, if it is still there and still the same; None without a record."""
    record = read_export_record(folder)
    if record is None:
        return None
    base = record.base
    beside = (Path(folder) / base.location).resolve()
    found = RecordedBase(str(beside), None) if beside.is_dir() else RecordedBase(base.name, base.commit)
    try:
        located = find_model(ModelSpec(found.model, model_revision=found.commit, flag="the base"))
    except AltTrainError as error:
        return replace(found, problem=str(error))
    if located.identities[0] != base.identity:
        name = Path(found.model).name  # reports hold no absolute folders
        return replace(found, problem=f"the base {name} is no longer what was exported")
    return found
