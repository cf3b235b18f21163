"""What stands beside the exported weights, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export import card
from axolotl_alttrain.export.export import ExportRequest, export
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.trained.chat_format import recorded_format
from axolotl_alttrain.generation.trained.export_record import read_export_record

from .tiny_models import TRAINED_NF4, Tiny, save_base, train


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    folder = tmp_path_factory.mktemp("export")
    base = save_base(folder / "base")
    settings = {"eos_token_id": [7, 2], "temperature": 0.6, "do_sample": True, "_from_model_config": True}
    (base / "generation_config.json").write_text(json.dumps(settings))
    return train(base, folder / "run", target_modules=["q_proj"])


def run(*arguments: object) -> Any:
    return CliRunner().invoke(alttrain, ["export", *map(str, arguments)])


def test_the_command_writes_all_that_engines_need(tiny: Tiny, tmp_path: Path) -> None:
    target = tmp_path / "model"
    done = run(tiny.adapter, "--to", target, "--max-shard-size", "100KB")
    assert done.exit_code == 0, done.output
    assert "Weights: adapter merged into the NF4 base it was trained on, saved in bfloat16.\n" in done.output
    assert sorted(path.name for path in target.iterdir()) == [
        "README.md",
        "alttrain_export.json",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    config = json.loads((target / "config.json").read_text())
    assert "quantization_config" not in config
    assert (config["dtype"], config["vocab_size"], config["architectures"]) == ("bfloat16", 64, ["LlamaForCausalLM"])
    assert json.loads((target / "generation_config.json").read_text()) == {
        "eos_token_id": [2, 7],
        "temperature": 0.6,
        "do_sample": True,
        "pad_token_id": 0,
    }
    record = read_export_record(target)
    assert record is not None
    assert (record.form, record.dtype, record.vocab_size, record.exact) == ("as-trained", "bfloat16", 64, True)
    assert (record.base.identity, record.adapter.identity) == (identity(str(tiny.base)), identity(str(tiny.adapter)))
    assert (target / record.adapter.location).resolve() == tiny.adapter.resolve()
    assert (record.trained_quantization, record.base_quantization) == (TRAINED_NF4, TRAINED_NF4)
    readme = (target / "README.md").read_text()
    assert readme.startswith("---\nbase_model: base\n")
    assert "| base during training | NF4, double quantisation |" in readme
    assert str(tmp_path) not in readme + (target / "alttrain_export.json").read_text()
    # The demo's model has a name of its own, which the Hub does not know.
    demo = record.model_copy(update={"base": record.base.model_copy(update={"name": "alttrain-demo-model"})})
    assert card.readme(demo, "m", "auto").startswith("---\nbase_model: HuggingFaceTB/SmolLM2-135M-Instruct\n")


@pytest.mark.parametrize(
    ("thinking", "switch", "prompt"),
    [("off", {"enable_thinking": False}, "<assistant><think></think>"), ("both", {}, "<assistant><think>\n")],
)
def test_the_template_renders_the_mode_and_the_variables_that_were_trained(
    tiny: Tiny, tmp_path: Path, thinking: str, switch: dict[str, Any], prompt: str
) -> None:
    adapter, target = tmp_path / "adapter", tmp_path / "model"
    shutil.copytree(tiny.adapter, adapter)
    (adapter / "chat_template.jinja").write_text(
        "{{ persona }}{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}w2{% endfor %}"
        "{% if add_generation_prompt %}<assistant>"
        "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% else %}<think>\n{% endif %}"
        "{% endif %}"
    )
    config = json.loads((adapter / "config.json").read_text())
    trained = {"thinking": thinking, "chat_template_kwargs": {"persona": "Brief. "}}
    (adapter / "config.json").write_text(json.dumps(config | {"alttrain": trained}))
    export(ExportRequest(str(adapter), target))
    record = read_export_record(target)
    assert record is not None
    assert record.thinking == {"persona": "Brief. ", **switch}
    rendered = AutoTokenizer.from_pretrained(target).apply_chat_template(
        [{"role": "user", "content": "w5"}], tokenize=False, add_generation_prompt=True
    )
    assert rendered == f"Brief. <user>w5w2{prompt}"
    recorded = recorded_format(str(target))
    assert (recorded.thinking, recorded.chat_template_kwargs) == (thinking, {"persona": "Brief. "})


def test_the_full_precision_merge_says_what_it_means(tiny: Tiny, tmp_path: Path) -> None:
    done = run(tiny.adapter, "--to", tmp_path / "model", "--form", "merged-full")
    assert done.exit_code == 0, done.output
    assert "adapter merged into the full-precision base; it was trained on the NF4 base" in done.output
    assert "This is not what was trained" in done.output


def test_an_adapter_without_the_config_of_its_training_is_not_called_exact(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = changed(tiny, tmp_path, "config.json")
    (bare.adapter / "config.json").unlink()
    record = export(ExportRequest(str(bare.adapter), tmp_path / "out"))
    assert (record.exact, record.training_known, record.trained_quantization) == (False, False, None)
    assert record.description.endswith("; how the base was loaded during training is unknown")
    assert caplog.messages == [f"{bare.adapter} has no config.json of its training; assuming a base in full precision"]


def test_mistakes_are_reported_in_one_line(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    done = run(tiny.adapter, "--to", tmp_path)
    assert (done.exit_code, done.output) == (
        1,
        f"Error: --to {tmp_path}: the folder is not empty and holds no export; name a new folder\n",
    )
    assert run(tmp_path / "none", "--to", tmp_path / "model").exit_code == 1
    assert not (tmp_path / "model").exists()


def refused(tiny: Tiny, folder: Path, **options: Any) -> str:
    with pytest.raises(AltTrainError) as one:
        export(ExportRequest(str(tiny.adapter), folder / "out", **options))
    assert "\n" not in str(one.value)
    assert not (folder / "out").exists()
    return str(one.value)


def changed(tiny: Tiny, folder: Path, file: str, **values: Any) -> Tiny:
    """The same adapter with other values in one of its configs."""
    adapter = folder / "run"
    shutil.copytree(tiny.adapter, adapter)
    config = json.loads((adapter / file).read_text())
    (adapter / file).write_text(json.dumps(config | values))
    return Tiny(tiny.base, adapter, tiny.vocabulary)


def test_an_adapter_that_changed_its_base_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    pissa = changed(tiny, tmp_path, "adapter_config.json", init_lora_weights="pissa")
    assert "was initialised with pissa, which changed the base's weights in memory" in refused(pissa, tmp_path)


def test_an_adapter_of_another_kind_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    ia3 = changed(tiny, tmp_path, "adapter_config.json", peft_type="IA3", feedforward_modules=[])
    assert refused(ia3, tmp_path).endswith("is an adapter of type IA3; export takes LoRA and DoRA")


def test_an_adapter_of_another_model_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    other = str(save_base(tmp_path / "other", "qwen2"))
    assert "trained on a model of type llama, and" in refused(tiny, tmp_path, model=other)
    narrow = str(save_base(tmp_path / "narrow", hidden_size=32))
    assert "has the shape (64, 32), and (64, 64) was trained" in refused(tiny, tmp_path, model=narrow)


def test_an_adapter_with_tensors_missing_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    broken = changed(tiny, tmp_path, "config.json")
    file = broken.adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    del tensors[sorted(tensors)[0]]
    save_file(tensors, file)
    assert "does not belong to this base model: " in refused(broken, tmp_path)


def test_a_quantised_base_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny.base, base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"quantization_config": TRAINED_NF4}))
    assert "is stored quantised (bitsandbytes); name the full-precision model" in refused(
        tiny, tmp_path, model=str(base)
    )


def test_fused_experts_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    base = save_base(tmp_path / "moe", "mixtral", num_local_experts=2, num_experts_per_tok=1)
    adapter = train_nothing(base, tmp_path / "run")
    assert "serve base and adapter instead" in refused(Tiny(base, adapter, 64), tmp_path)


def train_nothing(base: Path, adapter: Path) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])).save_pretrained(adapter)
    return adapter
