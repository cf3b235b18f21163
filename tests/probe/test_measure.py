from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.generation.stopping import stop_ids
from axolotl_alttrain.probe.measure import Probe, ProbeTooLong
from axolotl_alttrain.probe.undisturbed import undisturbed
from tests.conftest import SEED


@pytest.fixture
def model(tiny: tuple[Path, Path]) -> Any:
    """As in training: an adapter, gradient checkpointing, inputs that require gradients, no cache in the config."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny[0], attn_implementation="sdpa")
    base.config.use_cache = False
    base.gradient_checkpointing_enable()
    base.enable_input_require_grads()
    return PeftModel.from_pretrained(base, tiny[1], is_trainable=True).train()


def answers(probe: Probe, model: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from axolotl_alttrain.probe import measure

    seen: list[str] = []

    def keep(samples: list[Any], *rest: Any) -> Any:
        seen.extend(sample.completion for sample in samples)
        return original(samples, *rest)

    original = measure.score
    with monkeypatch.context() as patch, undisturbed(model):
        patch.setattr(measure, "score", keep)
        probe.measure(model)
    return seen


def test_the_answers_are_those_of_the_evaluator(
    model: Any, tiny: tuple[Path, Path], smollm2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from axolotl_alttrain.eval.backends.hf import HFBackend

    padding = smollm2.padding_side
    probe = Probe(learn_format(smollm2), 3, 12)
    found = answers(probe, model, monkeypatch)
    assert smollm2.padding_side == padding
    backend = HFBackend(str(tiny[0]), str(tiny[1]))
    texts = [backend.chat.prompt([{"role": "user", "content": prompt.instruction}]) for prompt in probe.prompts]
    assert [prompt.kind for prompt in probe.prompts] == ["harmful"] * 3 + ["benign"] * 3
    assert found == [one.text for one in backend.generate(texts, 12)]
    assert stop_ids(smollm2, probe.chat.thought.end, model) == backend.stop_ids


@pytest.fixture
def packing() -> Iterator[None]:
    """Axolotl's attention for packed rows, as `sample_packing: true` with sdpa puts it into every model."""
    from axolotl.monkeypatch.attention import sdpa_varlen

    assert sdpa_varlen.patch_sdpa_varlen()
    yield
    sdpa_varlen.unpatch_sdpa_varlen()


def test_padding_is_not_taken_for_packing(
    model: Any, smollm2: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    probe = Probe(learn_format(smollm2), 3, 12)
    expected = answers(probe, model, monkeypatch)
    request.getfixturevalue("packing")
    assert answers(probe, model, monkeypatch) == expected


def test_rates_count_what_was_judged(model: Any, smollm2: Any) -> None:
    probe = Probe(learn_format(smollm2), 4, 8)
    with undisturbed(model):
        measured = probe.measure(model)
    rates = measured.rates
    assert {name: rate.total for name, rate in rates.items()} == {
        "harmful_rate": 4,
        "over_refusal": 4,
        "structure": 8,
        "truncated": 8,
    }
    # Random weights write no thought and refuse nothing: every answer to a harmful prompt is a compliance.
    assert (rates["harmful_rate"].count, rates["over_refusal"].count, rates["structure"].count) == (4, 0, 0)
    assert 0 < measured.tokens <= 64


OPENED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)


def test_verdicts_are_scored_where_there_are_some(model: Any, smollm2: Any) -> None:
    """Random weights do not write AltTrain's thoughts, but one without an understanding can always be forced."""
    understood = read_examples(SEED)
    rows = [replace(row, problem_understanding="", omitted=("problem_understanding",)) for row in understood]
    with undisturbed(model):
        assert Probe(learn_format(smollm2), 2, 8, understood).measure(model).verdict_auroc is None
        measured = Probe(learn_format(smollm2, OPENED), 4, 8, rows).measure(model)
    assert measured.verdict_auroc is not None
    assert 0 <= measured.verdict_auroc.low <= measured.verdict_auroc.value <= measured.verdict_auroc.high <= 1


def test_a_probe_ends_where_its_time_does(model: Any, smollm2: Any) -> None:
    left = iter([1.0, 1.0, 0.0])
    with undisturbed(model), pytest.raises(ProbeTooLong):
        Probe(learn_format(smollm2), 2, 100).measure(model, lambda: next(left))
    assert next(left, None) is None


def test_more_prompts_than_a_batch_are_all_asked(model: Any, smollm2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from axolotl_alttrain.probe import measure

    whole = answers(Probe(learn_format(smollm2), 3, 6), model, monkeypatch)
    monkeypatch.setattr(measure, "BATCH", 4)
    assert answers(Probe(learn_format(smollm2), 3, 6), model, monkeypatch) == whole
    assert torch.is_grad_enabled()
