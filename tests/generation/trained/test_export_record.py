from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.quantization import NF4
from axolotl_alttrain.generation.trained.export_record import (
    ExportRecord,
    Source,
    read_export_record,
    write_export_record,
)

RECORD = ExportRecord(
    form="as-trained",
    description="adapter merged into the NF4 base it was trained on",
    base=Source(name="org/base", identity="org/base@1234", location="org/base", commit="1234"),
    adapter=Source(name="run", identity='["run", "abcd"]', location="../run"),
    trained_quantization=NF4,
    base_quantization=NF4,
    dtype="bfloat16",
    vocab_size=64,
    thinking={"enable_thinking": True},
    versions={"transformers": "5.16.1"},
    created=datetime(2026, 1, 2, tzinfo=UTC),
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_export_record(RECORD, tmp_path)
    assert read_export_record(tmp_path) == RECORD


def test_a_folder_without_record_is_no_export(tmp_path: Path) -> None:
    assert read_export_record(tmp_path) is None
    assert read_export_record("org/name") is None


def test_a_broken_record_is_reported_with_its_field(tmp_path: Path) -> None:
    write_export_record(RECORD, tmp_path)
    path = tmp_path / "alttrain_export.json"
    path.write_text(path.read_text().replace('"bfloat16"', '"int8"'))
    with pytest.raises(AltTrainError, match=r"alttrain_export\.json: dtype: Input should be .*; repeat 'axolotl"):
        read_export_record(tmp_path)
    path.write_text("{")
    with pytest.raises(AltTrainError, match=r"alttrain_export\.json: the file: Invalid JSON"):
        read_export_record(tmp_path)


@pytest.mark.parametrize(
    ("form", "trained", "exact"),
    [("as-trained", NF4, True), ("merged-full", NF4, False), ("merged-full", None, True)],
)
def test_only_the_full_precision_merge_of_a_qlora_adapter_differs_from_training(
    form: str, trained: dict[str, object] | None, exact: bool
) -> None:
    record = RECORD.model_copy(update={"form": form, "trained_quantization": trained})
    assert record.exact is exact
    assert record.model_copy(update={"training_known": False}).exact is False
