from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.config import DecodingConfig, EvalConfig, PromptsConfig
from axolotl_alttrain.eval.config.command_line import DEMO_ADAPTER, parse, parser
from pydantic import ValidationError

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.sampling import Sampling

# What manifest.json records of a command line without flags.
DEFAULTS: dict[str, Any] = {
    "config": None,
    "list": False,
    "pin": False,
    "model": None,
    "adapter": None,
    "model_revision": None,
    "adapter_revision": None,
    "weights": None,
    "load_in_4bit": None,
    "dtype": "auto",
    "thought_format": "auto",
    "protocol": None,
    "suite": None,
    "sets": None,
    "data_dir": None,
    "revision": None,
    "attacks": None,
    "limit": None,
    "allow_code_execution": False,
    "max_new_tokens": 256,
    "temperature": 0.0,
    "top_p": 1.0,
    "samples": 1,
    "seed": 0,
    "max_thought_tokens": None,
    "thinking": None,
    "backend": "hf",
    "batch_size": None,
    "batch_tokens": 131072,
    "tensor_parallel": 1,
    "data_parallel": 1,
    "base_url": None,
    "tokenizer": None,
    "api_concurrency": 16,
    "api_key_env": "OPENAI_API_KEY",
    "judges": ("refusal",),
    "guard_url": None,
    "guard_name": None,
    "guard_load_in_4bit": False,
    "judge_model": None,
    "judge_url": None,
    "judge_concurrency": 8,
    "judge_max_tokens": 512,
    "judge_thoughts": True,
    "verdict_rows": None,
    "judge_part": "answer",
    "out": Path("outputs/eval"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    assert EvalConfig.from_flags({}).as_flags() == parse([]).as_flags() == DEFAULTS
    assert EvalConfig() == EvalConfig.from_flags({}) == parse([])
    assert EvalConfig().prompts.names == ["probe-harmful", "probe-contrast", "probe-benign", "probe-capability"]
    assert EvalConfig().decoding.sampling == Sampling(256, 0.0, 1.0, 0)


def test_the_help_names_every_flag_and_its_default() -> None:
    text = " ".join(parser().format_help().split())
    for name, value in DEFAULTS.items():
        if name != "config":
            assert f"--{name.replace('_', '-')}" in text
        if value not in (None, True, False, ()):
            assert f"(default: {value[0] if isinstance(value, tuple) else value})" in text


def test_a_config_of_native_values() -> None:
    config = EvalConfig.from_flags(
        {"sets": ["gsm8k"], "revision": ("gsm8k=abc",), "limit": 3, "temperature": 1, "samples": 2, "out": Path("here")}
    )
    assert (config.prompts.names, config.prompts.revisions) == (["gsm8k"], {"gsm8k": "abc"})
    assert config.decoding == DecodingConfig(temperature=1.0, samples=2)
    assert config.output.out == Path("here")


def test_a_config_cannot_be_changed_and_takes_no_other_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        EvalConfig().decoding.seed = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        PromptsConfig(limits=3)  # type: ignore[call-arg]
    with pytest.raises(AltTrainError, match=r"^--limits: no such flag$"):
        EvalConfig.from_flags({"limits": 3})


def test_the_trained_demo_adapter_is_evaluated_by_default() -> None:
    DEMO_ADAPTER.mkdir(parents=True)
    assert parse([]).weights.adapter is None
    (DEMO_ADAPTER / "adapter_config.json").write_text("{}")
    assert parse([]).weights.adapter == str(DEMO_ADAPTER)
    assert parse(["--model", "m"]).weights.adapter is None
    assert parse(["--backend", "api", "--model", "m"]).weights.adapter is None


def test_commas_separate_names_as_spaces_do() -> None:
    config = parse(["--sets", "probe-harmful,probe-benign", "probe-contrast", "--judges", "refusal,llama-guard-3,"])
    assert config.prompts.sets == ("probe-harmful", "probe-benign", "probe-contrast")
    assert config.judging.judges == ("refusal", "llama-guard-3")
