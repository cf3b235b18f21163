from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.generation.loading import LoadedModel, ModelSpec, load_model
from axolotl_alttrain.generation.stopping import stop_ids


@pytest.fixture(scope="module")
def loaded(tiny: tuple[Path, Path]) -> LoadedModel:
    return load_model(ModelSpec(str(tiny[0])))


def test_every_source_of_stop_tokens_counts(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = loaded.tokenizer
    assert tokenizer.eos_token_id == 2
    assert stop_ids(tokenizer, "") == [2]
    assert stop_ids(tokenizer, "<|im_end|>") == [2]
    assert stop_ids(tokenizer, "\n<|im_start|>") == [1, 2]  # only the last token ends a turn
    monkeypatch.setattr(loaded.model.generation_config, "eos_token_id", [5, 6])
    monkeypatch.setattr(loaded.model.config, "eos_token_id", 7)
    assert stop_ids(tokenizer, "<|im_start|>", loaded.model) == [1, 2, 5, 6, 7]


def test_a_template_without_thoughts_has_the_other_stop_tokens(tiny: tuple[Path, Path]) -> None:
    guard: Any = load_model(ModelSpec(str(tiny[0])))
    guard.tokenizer.chat_template = "{{ raise_exception('no assistant turns') }}"
    assert guard.stop_ids == [2]
