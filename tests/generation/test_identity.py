"""Hub models and adapters, from a cache as huggingface_hub leaves it; the repository has changed in between."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from axolotl_alttrain.eval.backends.hf import HFBackend
from axolotl_alttrain.eval.backends.vllm_engine import engine_options
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.identity import identity, locate
from axolotl_alttrain.generation.quantization import NF4, only_nf4, trained_quantization

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def hub(tiny: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``org/model`` and ``org/adapter`` at two commits each, main at the newer."""
    from safetensors.torch import load_file, save_file

    cache = tmp_path / "hub"
    for name, folder in zip(("model", "adapter"), tiny, strict=True):
        repository = cache / f"models--org--{name}"
        for commit in (OLD, NEW):
            shutil.copytree(folder, repository / "snapshots" / commit)
        (weights,) = (repository / "snapshots" / NEW).glob("*.safetensors")
        save_file({key: 2 * value for key, value in load_file(weights).items()}, weights, {"format": "pt"})
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(NEW)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def test_a_hub_id_is_its_commit(tiny: tuple[Path, Path], hub: Path) -> None:
    found = locate("org/model", "org/adapter")
    assert found.identities == (f"org/model@{NEW}", f"org/adapter@{NEW}")
    found = locate("org/model", "org/adapter", OLD, OLD)
    assert (found.commit, found.adapter) == (OLD, str(hub / "models--org--adapter" / "snapshots" / OLD))
    assert found.identities == (f"org/model@{OLD}", f"org/adapter@{OLD}")
    local = locate(*map(str, tiny))
    assert (local.commit, local.adapter, local.identities[1]) == (None, str(tiny[1]), identity(str(tiny[1])))


def test_weights_are_those_of_the_commit(tiny: tuple[Path, Path], hub: Path) -> None:
    plain = HFBackend(*map(str, tiny), dtype="float32")
    old = HFBackend("org/model", "org/adapter", dtype="float32", model_revision=OLD, adapter_revision=OLD)
    new = HFBackend("org/model", "org/adapter", dtype="float32")
    assert (old.identity("tuned").model, old.identity("tuned").adapter) == (f"org/model@{OLD}", f"org/adapter@{OLD}")
    assert (new.identity("base").model, new.identity("base").adapter) == (f"org/model@{NEW}", "")
    for (name, ours), other, newer in zip(
        plain.model.named_parameters(), old.model.parameters(), new.model.parameters(), strict=True
    ):
        assert torch.equal(ours, other), name
        assert torch.equal(2 * ours, newer), name


def test_a_changed_repository_is_asked_again_and_the_manifest_says_which(hub: Path, tmp_path: Path) -> None:
    flags = ["--model", "org/model", "--adapter", "org/adapter", "--sets", "probe-harmful", "--limit", "2"]
    flags += ["--max-new-tokens", "4", "--dtype", "float32", "--out", str(tmp_path / "out")]
    counts = []
    for more in ([], [], ["--model-revision", OLD], ["--adapter-revision", OLD]):
        assert main([*flags, *more]) == 0
        runs = json.loads((tmp_path / "out" / "manifest.json").read_text())["runs"]
        counts.append(len((tmp_path / "out" / "samples.jsonl").read_text().splitlines()))
    assert counts == [4, 4, 8, 10]
    assert (runs["base"]["model"], runs["tuned"]["adapter"]) == (f"org/model@{NEW}", f"org/adapter@{OLD}")


def test_mistakes(tiny: tuple[Path, Path], hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["--model", str(tiny[0]), "--model-revision", OLD, *out]) == 1
    assert f"--model-revision {OLD}: {tiny[0]} is a local folder" in capsys.readouterr().err
    assert main(["--model", "org/model", "--adapter-revision", OLD, *out]) == 1
    assert f"--adapter-revision {OLD} has no effect without --adapter; remove it" in capsys.readouterr().err
    assert main(["--model", "org/model", "--model-revision", "c" * 40, *out]) == 1
    assert "--model org/model cannot be loaded" in capsys.readouterr().err


def test_vllm_loads_the_same(hub: Path) -> None:
    found = locate("org/model", "org/adapter", OLD)
    adapter = str(hub / "models--org--adapter" / "snapshots" / NEW)
    assert engine_options("org/model", found, True) == {
        "model": "org/model",
        "revision": OLD,
        "tokenizer": "org/model",
        "tokenizer_revision": OLD,
        "trust_remote_code": False,
        "enable_prefix_caching": True,
        "max_model_len": -1,
        "generation_config": "vllm",
        "quantization": "bitsandbytes",
        "enable_lora": True,
        "max_lora_rank": 8,
    }
    Path(adapter, "tokenizer_config.json").write_text("{}")
    options = engine_options("org/model", found, False)
    assert (options["tokenizer"], options["tokenizer_revision"]) == (adapter, None)
    assert "quantization" not in options
    assert options["load_format"] == "safetensors"


def test_vllm_quantises_as_the_adapter_was_trained(hub: Path) -> None:
    folder = hub / "models--org--adapter" / "snapshots"
    (folder / OLD / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": NF4}))
    eight = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    (folder / NEW / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": eight}))
    assert only_nf4(trained_quantization("org/adapter", OLD)) is True
    assert only_nf4(None) is False
    with pytest.raises(AltTrainError) as error:
        only_nf4(trained_quantization("org/adapter", NEW))
    assert str(error.value) == (
        "--backend vllm: the adapter was trained on a base in 8-bit, which vLLM does not load; add --weights "
        "full-precision for the unquantised base, or --backend hf"
    )
    with pytest.raises(AltTrainError, match="trained on a base in FP4"):
        only_nf4({"load_in_4bit": True})
