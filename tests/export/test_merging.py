"""The exported weights are those of the trained model held in memory, bit for bit, for every kind of LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from axolotl_alttrain.export.export import ExportRequest, export

from .tiny_models import TRAINED_NF4, loaded, logits, merged_in_memory, save_base, train

ATTENTION = ["q_proj", "v_proj"]
KINDS: dict[str, dict[str, Any]] = {
    "every linear layer": {},
    "ranks and scales by layer": {
        "use_rslora": True,
        "rank_pattern": {"q_proj": 8},
        "alpha_pattern": {"layers.1.mlp.up_proj": 40},
    },
    "some layers": {"target_modules": ATTENTION, "layers_to_transform": [1]},
    "dora": {"use_dora": True},
    "biases": {"target_modules": ATTENTION, "bias": "all"},
    "biases of lora": {"target_modules": ATTENTION, "lora_bias": True},
    "output layer": {"target_modules": ["q_proj", "lm_head"]},
    "embeddings": {"target_modules": ["q_proj", "embed_tokens"]},
    "both embeddings whole": {"target_modules": ATTENTION, "modules_to_save": ["embed_tokens", "lm_head"]},
    "one embedding whole": {"target_modules": ATTENTION, "modules_to_save": ["embed_tokens"]},
    "a norm whole": {"target_modules": ATTENTION, "modules_to_save": ["post_attention_layernorm"]},
    "a block whole": {"target_modules": ATTENTION, "modules_to_save": ["mlp"]},
    "single tokens": {"target_modules": ATTENTION, "trainable_token_indices": [5, 9, 63]},
    "parameters": {"target_modules": ATTENTION, "target_parameters": ["mlp.up_proj.weight"]},
}
CASES = [(kind, tied) for kind in KINDS for tied in (False, True)]


@pytest.mark.parametrize(
    ("kind", "tied"), CASES, ids=[f"{kind}, {'tied' if tied else 'untied'}" for kind, tied in CASES]
)
def test_weights_equal_those_of_the_trained_model(kind: str, tied: bool, tmp_path: Path) -> None:
    tiny = train(save_base(tmp_path / "base", "qwen2", tied), tmp_path / "run", **KINDS[kind])
    check_export(tiny, tmp_path / "out")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    "lora",
    [
        {"target_modules": ATTENTION},
        {"target_modules": ATTENTION, "modules_to_save": ["embed_tokens", "lm_head"]},
        {"target_modules": ["q_proj", "lm_head"]},
        {"target_modules": ATTENTION, "trainable_token_indices": [64, 65]},
    ],
    ids=["pad token", "both embeddings whole", "output layer", "new tokens only"],
)
def test_a_grown_vocabulary_is_exported(lora: dict[str, Any], tied: bool, tmp_path: Path) -> None:
    tiny = train(save_base(tmp_path / "base", tied=tied), tmp_path / "run", words=66, **lora)
    state = check_export(tiny, tmp_path / "out")
    assert state["model.embed_tokens.weight"].shape == (66, 64)


@pytest.mark.parametrize(
    "quantization",
    [
        None,
        {**TRAINED_NF4, "bnb_4bit_use_double_quant": False},
        {**TRAINED_NF4, "bnb_4bit_quant_type": "fp4"},
        {**TRAINED_NF4, "llm_int8_skip_modules": ["lm_head", "layers.0"]},
        {"quant_method": "bitsandbytes", "load_in_8bit": True},
    ],
    ids=["none", "no double quantisation", "fp4", "skipped modules", "8 bits"],
)
def test_every_quantisation_is_repeated(quantization: Any, tmp_path: Path) -> None:
    tiny = train(save_base(tmp_path / "base"), tmp_path / "run", quantization)
    check_export(tiny, tmp_path / "out", quantization)


def test_rows_that_nobody_saved_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    base = save_base(tmp_path / "base")
    tiny = train(base, tmp_path / "run", words=66, target_modules=["q_proj", "lm_head"])
    embeddings = exported(tiny, tmp_path / "out")["model.embed_tokens.weight"]
    assert caplog.messages == [
        "model.embed_tokens.weight: the adapter does not hold the 2 rows that training added; using the mean"
    ]
    assert torch.equal(embeddings[64], embeddings[:64].mean(dim=0))


def test_the_full_precision_merge_ignores_the_quantisation(tmp_path: Path) -> None:
    tiny = train(save_base(tmp_path / "base"), tmp_path / "run")
    state = exported(tiny, tmp_path / "full", form="merged-full")
    assert_equal(state, merged_in_memory(loaded(tiny, None)))
    trained = exported(tiny, tmp_path / "trained")
    assert not torch.equal(state["model.layers.0.mlp.up_proj.weight"], trained["model.layers.0.mlp.up_proj.weight"])


def check_export(tiny: Any, target: Path, quantization: Any = TRAINED_NF4) -> dict[str, torch.Tensor]:
    from transformers import AutoModelForCausalLM

    state = exported(tiny, target)
    assert_equal(state, merged_in_memory(loaded(tiny, quantization)))
    # The merge in memory is right, too: what the adapter computes beside its base, the exported weights compute.
    plain = AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32).eval()
    torch.testing.assert_close(logits(plain), logits(loaded(tiny, quantization)), rtol=1e-4, atol=1e-4)
    return state


def exported(tiny: Any, target: Path, **options: Any) -> dict[str, torch.Tensor]:
    record = export(ExportRequest(str(tiny.adapter), target, dtype="float32", **options))
    assert record.vocab_size == tiny.vocabulary
    return load_file(target / "model.safetensors")


def assert_equal(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    head = expected.pop("lm_head.weight")
    saved = state.get("lm_head.weight", state["model.embed_tokens.weight"])
    assert torch.equal(saved, head)
    assert set(state) - {"lm_head.weight"} == set(expected)
    different = [name for name, tensor in expected.items() if not torch.equal(state[name], tensor)]
    assert different == []
