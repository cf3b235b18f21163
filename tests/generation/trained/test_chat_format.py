"""What a training records of its prompts, and who reads it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained.chat_format import UNRECORDED, TrainedFormat, recorded_format
from axolotl_alttrain.plugin import AltTrainPlugin

# A template with two variables: what it writes into the system turn, and a switch that is off by default.
TEMPLATE = (
    "{% if persona is defined %}<|im_start|>system\n{{ persona }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
CONFIG = {
    "datasets": [{"path": "alttrain-seed", "type": "alttrain"}],
    "alttrain": {"thinking": False, "thought_format": {"open": "<think>\n", "close": "\n</think>\n\n"}},
    "chat_template_kwargs": {"persona": "Brief."},
    "eot_tokens": ["<|im_end|>"],
}


def trained(tmp_path: Path, cfg: dict[str, Any]) -> Path:
    """The folder of an adapter, as Axolotl saves the model's config in it."""
    from transformers import LlamaConfig

    config = LlamaConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8, vocab_size=8)
    AltTrainPlugin().post_model_load(cfg, SimpleNamespace(config=config))
    config.save_pretrained(tmp_path)
    return tmp_path


def test_the_plugin_records_what_the_prompts_depend_on(tmp_path: Path) -> None:
    folder = trained(tmp_path, CONFIG)
    assert json.loads((folder / "config.json").read_text())["alttrain"] == {
        "thinking": "off",
        "chat_template_kwargs": {"persona": "Brief."},
        "thought_format": {"open": "<think>\n", "close": "\n</think>\n\n"},
        "stop_tokens": ["<|im_end|>"],
    }
    found = recorded_format(str(folder))
    assert found == TrainedFormat(
        thinking="off",
        chat_template_kwargs={"persona": "Brief."},
        thought_format={"open": "<think>\n", "close": "\n</think>\n\n"},
        stop_tokens=("<|im_end|>",),
    )
    (folder / "checkpoint-8").mkdir()
    assert recorded_format(str(folder / "checkpoint-8")) == found


def test_another_training_records_nothing(tmp_path: Path) -> None:
    folder = trained(tmp_path, {"datasets": [{"path": "x", "type": "chat_template"}]})
    assert "alttrain" not in json.loads((folder / "config.json").read_text())
    assert recorded_format(str(folder)) == UNRECORDED


def test_the_recorded_variables_render_the_prompt(smollm2: Any, tmp_path: Path) -> None:
    folder = trained(tmp_path, {**CONFIG, "alttrain": {"thinking": "on"}})
    own, smollm2.chat_template = smollm2.chat_template, TEMPLATE
    try:
        chat = recorded_format(str(folder)).learn(smollm2)
    finally:
        smollm2.chat_template = own
    assert chat.kwargs == {"persona": "Brief.", "enable_thinking": True}
    assert chat.prompt([{"role": "user", "content": "Hi"}]) == (
        "<|im_start|>system\nBrief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    folder = trained(tmp_path, CONFIG)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "alttrain": {"thinking": "maybe"}}))
    with pytest.raises(AltTrainError) as error:
        recorded_format(str(folder))
    assert str(error.value) == (
        f"{folder}: config.json, field 'alttrain.thinking': Input should be 'on', 'off' or 'both'; restore it, or "
        "remove 'alttrain'"
    )
