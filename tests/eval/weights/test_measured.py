"""Every form loads, generates, keeps to itself in one folder, and is named in every file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.run import main
from huggingface_hub import ModelCard

from .forms import DESCRIPTION, Forms

FLAGS = ("--sets", "probe-benign", "--limit", "4", "--max-new-tokens", "8", "--dtype", "float32")
AS_TRAINED = "adapter on the NF4 base it was trained on"
FULL = "adapter on the unquantised base, not the NF4 base it was trained on"
EXPORTED = f"exported model, {DESCRIPTION}, saved in float32"
NAMES = ("as-trained", "full-precision", "exported", "merged")


@pytest.fixture(scope="module")
def measured(forms: Forms, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for each form; all forms are also asked in the folder ``all``."""
    out = tmp_path_factory.mktemp("measured")
    adapter = ("--adapter", str(forms.adapter), "--weights")
    flags = {
        "as-trained": (*adapter, "as-trained"),
        "full-precision": (*adapter, "full-precision"),
        "exported": ("--weights", str(forms.exported)),
        "merged": ("--weights", str(forms.merged)),
    }
    for name, form in flags.items():
        assert main([*form, *FLAGS, "--out", str(out / name)]) == 0
        assert main([*form, *FLAGS, "--out", str(out / "all")]) == 0
    return out


def samples(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()]


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def said(folder: Path, run: str) -> dict[str, str]:
    return {one["id"]: one["completion"] for one in samples(folder) if one["run"] == run}


def test_forms_of_one_adapter_never_share_samples(measured: Path) -> None:
    keys = {name: {one["key"] for one in samples(measured / name) if one["run"] == "tuned"} for name in NAMES}
    assert [len(some) for some in keys.values()] == [4, 4, 4, 4]
    assert len(set.union(*keys.values())) == 16
    bases = {name: {one["key"] for one in samples(measured / name) if one["run"] == "base"} for name in NAMES[:3]}
    assert not bases["as-trained"] & bases["full-precision"]
    # The base beside an export is the unquantised one, rendered with the same template: the same samples.
    assert bases["full-precision"] == bases["exported"]
    together = {one["key"]: one["completion"] for one in samples(measured / "all")}
    assert len(together) == 16 + 8
    for name in NAMES:
        assert all(together[one["key"]] == one["completion"] for one in samples(measured / name))


def test_an_export_says_what_was_trained_and_the_unquantised_base_something_else(measured: Path) -> None:
    as_trained, full, exported = (said(measured / name, "tuned") for name in NAMES[:3])
    assert exported == as_trained
    assert full != as_trained


@pytest.mark.parametrize(
    ("name", "base", "tuned"),
    [
        ("as-trained", "base in NF4", AS_TRAINED),
        ("full-precision", "unquantised base", FULL),
        ("exported", "unquantised base", EXPORTED),
        ("merged", None, "merged folder, origin unknown"),
    ],
)
def test_every_file_names_the_weights(measured: Path, name: str, base: str | None, tuned: str) -> None:
    folder, expected = measured / name, {"tuned": tuned} | ({"base": base} if base else {})
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for file in (summary(folder), manifest):
        assert {run: form["words"] for run, form in file["weights"].items()} == expected
        assert file["weights"]["tuned"]["kind"] == name
    for file_name in ("report.html", "results.md", "model-card.md"):
        text = (folder / file_name).read_text(encoding="utf-8").replace("&nbsp;", " ")
        assert f"Measured: {tuned}" in text
    results = ModelCard.load(folder / "model-card.md").data.eval_results or []
    assert [one.metric_args["weights"] for one in results] == [tuned]


def test_the_report_says_which_forms_were_not_measured(measured: Path) -> None:
    text = (measured / "as-trained" / "results.md").read_text(encoding="utf-8")
    assert (
        "Base: base in NF4. Not measured here: exported (axolotl alttrain export); full-precision base (--weights "
        "full-precision)."
    ) in text
    assert "Not measured here" not in (measured / "merged" / "results.md").read_text(encoding="utf-8")


def test_a_merge_of_unknown_origin_is_one_run(measured: Path) -> None:
    found = summary(measured / "merged")
    assert (list(found["runs"]), found["adapter"], found["comparison"]) == (["tuned"], None, None)
    assert found["weights_folder"].endswith("merged")


def test_a_base_that_is_gone_is_reported_as_missing(
    forms: Forms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = forms.exported / "alttrain_export.json"
    before = path.read_text(encoding="utf-8")
    gone = json.loads(before)
    gone["base"] |= {"name": "org/gone", "location": "../gone"}
    try:
        path.write_text(json.dumps(gone), encoding="utf-8")
        assert main(["--weights", str(forms.exported), *FLAGS, "--out", str(tmp_path)]) == 3
    finally:
        path.write_text(before, encoding="utf-8")
    assert summary(tmp_path)["missing"]["base"].startswith("the base org/gone cannot be loaded (")
    assert list(summary(tmp_path)["runs"]) == ["tuned"]
