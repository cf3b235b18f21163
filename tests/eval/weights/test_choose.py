"""What the flags and the records choose, and its words; nothing is loaded except where a folder is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.config import EvalConfig
from axolotl_alttrain.eval.weights import Weights, weights_of

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.quantization import NF4

from .forms import DESCRIPTION, Forms

OTHERS = ("exported (axolotl alttrain export)", "full-precision base (--weights full-precision)")


def chosen(**flags: Any) -> Weights:
    return weights_of(EvalConfig.from_flags(flags))


def words(weights: Weights) -> dict[str, tuple[str, str]]:
    return {run: (form.kind, form.words) for run, form in weights.forms.items()}


def with_config(forms: Forms, folder: Path, quantization: dict[str, Any] | None) -> str:
    """A copy of the adapter whose base was loaded in another way in training."""
    shutil.copytree(forms.adapter, folder)
    config = json.loads((forms.base / "config.json").read_text(encoding="utf-8"))
    added = {"quantization_config": quantization} if quantization else {}
    (folder / "config.json").write_text(json.dumps(config | added), encoding="utf-8")
    return str(folder)


def test_an_adapter_is_measured_as_it_was_trained(forms: Forms) -> None:
    for given in ({}, {"weights": "as-trained"}, {"weights": "as-trained", "load_in_4bit": True}):
        found = chosen(adapter=str(forms.adapter), **given)
        assert found.quantization == NF4
        assert words(found) == {
            "base": ("base", "base in NF4"),
            "tuned": ("as-trained", "adapter on the NF4 base it was trained on"),
        }
        assert found.forms["tuned"].others == OTHERS


def test_the_full_precision_is_another_form(forms: Forms) -> None:
    found = chosen(adapter=str(forms.adapter), weights="full-precision")
    assert found.quantization is None
    assert words(found) == {
        "base": ("base", "unquantised base"),
        "tuned": ("full-precision", "adapter on the unquantised base, not the NF4 base it was trained on"),
    }
    assert found.forms["tuned"].others == ("as trained (--weights as-trained)", OTHERS[0])


def test_an_adapter_of_an_unquantised_base_has_one_form(forms: Forms, tmp_path: Path) -> None:
    adapter = with_config(forms, tmp_path / "lora", None)
    for given in ({}, {"weights": "full-precision"}):
        found = chosen(adapter=adapter, **given)
        assert words(found)["tuned"] == ("as-trained", "adapter on the unquantised base it was trained on")
        assert found.forms["tuned"].others == ()


def test_a_training_that_is_not_recorded_is_called_so_or_stated(tiny: tuple[Path, Path]) -> None:
    adapter = str(tiny[1])
    assert words(chosen(adapter=adapter))["tuned"] == (
        "full-precision",
        "adapter on the unquantised base, how it was loaded in training is not recorded",
    )
    assert words(chosen(adapter=adapter, load_in_4bit=True))["tuned"] == (
        "as-trained",
        "adapter on the NF4 base it was trained on (stated by the user)",
    )
    with pytest.raises(AltTrainError) as error:
        chosen(adapter=adapter, weights="as-trained")
    assert str(error.value) == (
        f"--weights as-trained: no config.json in {adapter} records how its base was loaded in training; state it "
        "with --load-in-4bit or --no-load-in-4bit"
    )


def test_flags_that_contradict_the_record_are_refused(forms: Forms, tmp_path: Path) -> None:
    adapter = str(forms.adapter)
    with pytest.raises(AltTrainError) as error:
        chosen(adapter=adapter, load_in_4bit=False)
    assert str(error.value) == (
        f"--no-load-in-4bit: {adapter} records that its base was trained in NF4, and --weights as-trained loads it "
        "so; remove --no-load-in-4bit, or choose --weights as-trained or full-precision"
    )
    lora = with_config(forms, tmp_path / "lora", None)
    with pytest.raises(AltTrainError, match=r"--load-in-4bit: .*lora records that its base was trained unquantised"):
        chosen(adapter=lora, load_in_4bit=True)


def test_other_quantisations_keep_their_names(forms: Forms, tmp_path: Path) -> None:
    for name, quantization in {"8-bit": {"load_in_8bit": True}, "FP4": {"load_in_4bit": True}}.items():
        found = chosen(adapter=with_config(forms, tmp_path / name, quantization))
        assert words(found)["tuned"] == ("as-trained", f"adapter on the {name} base it was trained on")


def test_a_base_that_is_published_quantised_has_no_full_precision(forms: Forms, tmp_path: Path) -> None:
    config = json.loads((forms.base / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "gptq"}}))
    assert words(chosen(model=str(tmp_path))) == {"base": ("base", "base as published (gptq)")}
    with pytest.raises(AltTrainError) as error:
        chosen(model=str(tmp_path), adapter=str(forms.adapter), weights="full-precision")
    assert str(error.value) == (
        "--weights full-precision: the base is published quantised (gptq); name an unquantised one with --model"
    )


def test_a_base_alone(tiny: tuple[Path, Path]) -> None:
    assert words(chosen(model=str(tiny[0]))) == {"base": ("base", "unquantised base")}
    assert words(chosen(model=str(tiny[0]), load_in_4bit=True)) == {"base": ("base", "base in NF4")}


def test_another_base_than_the_adapter_names_is_said(forms: Forms, tmp_path: Path) -> None:
    shutil.copytree(forms.base, tmp_path / "other")
    found = chosen(model=str(tmp_path / "other"), adapter=str(forms.adapter))
    assert found.forms["tuned"].words == (
        "adapter on the NF4 base it was trained on; the adapter's config names the base base"
    )


def test_vllm_serves_lora_requests(forms: Forms) -> None:
    def tuned(**given: Any) -> str:
        return chosen(adapter=str(forms.adapter), backend="vllm", **given).forms["tuned"].words

    assert tuned() == "LoRA request in vLLM on the base that vLLM quantises to NF4"
    assert tuned(weights="full-precision") == (
        "LoRA request in vLLM on the unquantised base, not the NF4 base it was trained on"
    )


def test_an_export_is_run_beside_the_base_that_its_record_names(forms: Forms) -> None:
    found = chosen(weights=str(forms.exported))
    assert (found.model, found.adapter, found.folder) == (str(forms.base), None, str(forms.exported))
    assert words(found) == {
        "base": ("base", "unquantised base"),
        "tuned": (
            "exported",
            f"exported model, {DESCRIPTION}, saved in float32",
        ),
    }
    assert found.forms["tuned"].others == ("as trained (--weights as-trained)", OTHERS[1])


def test_an_export_whose_base_is_gone_is_run_alone(forms: Forms, tmp_path: Path) -> None:
    shutil.copytree(forms.exported, tmp_path / "exported")
    path = tmp_path / "exported" / "alttrain_export.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["base"] |= {"name": "org/gone", "location": "../gone"}
    path.write_text(json.dumps(record), encoding="utf-8")
    found = chosen(weights=str(tmp_path / "exported"))
    assert (found.has_base, list(found.forms)) == (False, ["tuned"])
    assert found.missing["base"].startswith("the base org/gone cannot be loaded (")
    assert found.missing["base"].endswith("; name it with --model")
    assert chosen(weights=str(tmp_path / "exported"), model=str(forms.base)).has_base


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"form": "merged-full", "base_quantization": None}, "merged-full"),
        ({"training_known": False, "trained_quantization": None, "base_quantization": None}, "merged-full"),
        ({"trained_quantization": None, "base_quantization": None}, "exported"),
    ],
)
def test_only_an_export_of_what_was_trained_is_called_so(
    forms: Forms, tmp_path: Path, changes: dict[str, Any], kind: str
) -> None:
    shutil.copytree(forms.exported, tmp_path / "exported")
    path = tmp_path / "exported" / "alttrain_export.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(record | changes | {"description": "adapter merged somehow"}), encoding="utf-8")
    tuned = chosen(weights=str(tmp_path / "exported"), model=str(forms.base)).forms["tuned"]
    assert (tuned.kind, tuned.words) == (kind, "exported model, adapter merged somehow, saved in float32")
    known = changes.get("trained_quantization", NF4)
    assert tuned.others == (("as trained (--weights as-trained)", *OTHERS) if known else ())


def test_a_merge_without_a_record_has_no_known_origin(forms: Forms) -> None:
    found = chosen(weights=str(forms.merged))
    assert words(found) == {"tuned": ("merged", "merged folder, origin unknown")}
    assert (found.model, found.has_base, found.missing) == (str(forms.merged), False, {})
    assert list(chosen(weights=str(forms.merged), model=str(forms.base)).forms) == ["base", "tuned"]


def test_a_server_does_not_say_what_it_serves(forms: Forms) -> None:
    def tuned(**given: Any) -> tuple[str, str]:
        api = {"backend": "api", "base_url": "http://localhost:1/v1", "model": "m", "adapter": "t"}
        return words(chosen(**api, **given))["tuned"]

    unknown = "unknown: the server does not report its weights, and --weights does not state them"
    assert tuned() == ("unknown", unknown)
    assert tuned(weights="full-precision") == (
        "full-precision",
        "adapter on the unquantised base (stated by the user)",
    )
    assert tuned(weights=str(forms.exported)) == (
        "exported",
        f"exported model, {DESCRIPTION}, saved in float32 (stated by the user)",
    )
    assert tuned(weights="/models/mine") == ("merged", "merged folder mine, origin unknown (stated by the user)")
