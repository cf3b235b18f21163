from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from axolotl_alttrain.eval.backends.base import Generated, Request
from axolotl_alttrain.eval.backends.hf import HFBackend

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.decoding import completion_text, decode
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.quantization import NF4
from axolotl_alttrain.generation.sampling import Sampling
from tests.conftest import llama_with_adapter, name_targets_by_suffix

PROMPTS = ["Hi", "Name three colours of the rainbow, please.", "Why?", "What is 2 + 2?"]


@pytest.fixture(scope="module")
def backend(tiny: tuple[Path, Path]) -> HFBackend:
    return HFBackend(str(tiny[0]), str(tiny[1]), dtype="float32")


@pytest.mark.parametrize("tuned", [False, True])
def test_greedy_decoding_equals_transformers_generate(backend: HFBackend, tuned: bool) -> None:
    texts = [backend.chat.prompt([{"role": "user", "content": prompt}]) for prompt in PROMPTS]
    with backend.adapter(tuned):
        ours = backend.generate(texts, 24)
        # A stop token that this random model does write, so that sequences leave the batch at different steps.
        for text, one in zip(texts, ours, strict=True):
            ids = backend.tokenizer(text, add_special_tokens=False, return_tensors="pt")
            with torch.inference_mode():
                out = backend.model.generate(
                    **ids, max_new_tokens=24, do_sample=False, eos_token_id=backend.stop_ids, pad_token_id=0
                )
            new = out[0, ids["input_ids"].shape[1] :].tolist()
            expected = completion_text(backend.tokenizer, new, backend.stop_ids)
            finish = "stop" if expected.stopped else "length"
            assert one == Generated(expected.text, finish, expected.tokens, expected.ids)


def test_sequences_that_stop_leave_the_batch_and_the_others_go_on(backend: HFBackend) -> None:
    texts = [backend.chat.prompt([{"role": "user", "content": prompt}]) for prompt in PROMPTS]
    batch = backend.tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    with backend.adapter(True), torch.inference_mode():
        free = decode(backend.model, batch["input_ids"], batch["attention_mask"], backend.stop_ids, 24)
        stop = free[1][5]
        sizes: list[int] = []
        stopped = decode(backend.model, batch["input_ids"], batch["attention_mask"], [stop], 24, sizes.append)
    for long, short in zip(free, stopped, strict=True):
        end = long.index(stop) + 1 if stop in long else len(long)
        assert short == long[:end]
    assert sizes[0] == 4
    assert sizes[-1] < 4


def test_the_adapter_is_taken_off_again(backend: HFBackend) -> None:
    text = [backend.chat.prompt([{"role": "user", "content": "Hi"}])]
    with backend.adapter(False):
        before = backend.generate(text, 16)
    with backend.adapter(True):
        tuned = backend.generate(text, 16)
    with backend.adapter(False):
        assert backend.generate(text, 16) == before
    assert tuned != before


def test_an_adapter_of_another_model_and_broken_weights_are_named(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    other = tmp_path / "other"
    shutil.copytree(tiny[0], other)
    config = AutoConfig.from_pretrained(other, hidden_size=16)
    AutoModelForCausalLM.from_config(config).save_pretrained(other)
    both = f"--model {other} with --adapter {tiny[1]} cannot be loaded .*size mismatch"
    with pytest.raises(AltTrainError, match=both):
        HFBackend(str(other), str(tiny[1]))
    (other / "model.safetensors").write_bytes(b"<html>not found</html>")
    with pytest.raises(AltTrainError, match=f"--model {other} cannot be loaded .SafetensorError"):
        HFBackend(str(other))


@pytest.mark.parametrize("layers", [1, 3])
def test_an_adapter_of_a_base_with_other_layers(
    smollm2: Any, tiny: tuple[Path, Path], tmp_path: Path, layers: int
) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
    base, _ = llama_with_adapter(smollm2, tmp_path, layers, **sizes)
    adapter = tmp_path / "of the other"
    shutil.copytree(tiny[1], adapter)
    name_targets_by_suffix(adapter)
    both = rf"--model {base} with --adapter {adapter} cannot be loaded .ValueError: 14 LoRA tensors are only in "
    with pytest.raises(AltTrainError, match=both):
        HFBackend(str(base), str(adapter))


def test_a_retrained_adapter_is_another_one(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "adapter"
    shutil.copytree(tiny[1], copy)
    assert identity(str(copy)) == identity(str(tiny[1]))
    weights = copy / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert identity(str(copy)) != identity(str(tiny[1]))
    assert identity("owner/model") == "owner/model"
    assert identity(None) == ""


def test_unpacked_four_bit_weights_compute_the_same(tiny: tuple[Path, Path]) -> None:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    # In training mode (a Llama has no dropout): in eval mode bitsandbytes repacks weights on CPUs with AVX512-BF16, in
    # a form that rounds to bfloat16 and that needs more columns than this model has.
    packed = AutoModelForCausalLM.from_pretrained(
        tiny[0], dtype=torch.float32, quantization_config=BitsAndBytesConfig.from_dict(NF4)
    ).train()
    ours = HFBackend(str(tiny[0]), quantization=NF4)
    plain = HFBackend(str(tiny[0]), dtype="float32")
    ids = torch.tensor([[1, 15, 300, 7, 2100]])
    with torch.inference_mode():
        expected, found, other = (model(ids).logits for model in (packed, ours.model, plain.model))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (other - expected).abs().max() > 1e-3


def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_lost(
    tiny: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = HFBackend(str(tiny[0]), dtype="float32")
    requests = [Request(small.render(({"role": "user", "content": p},)), ()) for p in PROMPTS]
    whole: dict[int, Generated] = {}
    small.complete("base", requests, Sampling(8), whole.__setitem__)
    sizes: list[int] = []
    forward = small.model.forward

    def full(*args: Any, **kwargs: Any) -> Any:
        sizes.append(len(kwargs["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("out of memory")  # as torch raises it on a GPU; a CPU would be killed instead
        return forward(*args, **kwargs)

    monkeypatch.setattr(small.model, "forward", full)
    found: dict[int, Generated] = {}
    small.complete("base", requests, Sampling(8), found.__setitem__)
    assert found == whole
    assert (sizes[0], max(sizes[1:])) == (4, 2)


def test_a_context_that_may_be_exceeded_is_warned_of_once(
    tiny: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    backend = HFBackend(str(tiny[0]), str(tiny[1]), dtype="float32")
    requests = [Request(backend.render(({"role": "user", "content": p},)), ()) for p in PROMPTS]
    lengths = sorted(backend.count_tokens([request.text for request in requests]))
    backend.model.config.max_position_embeddings = lengths[1] + 4
    capsys.readouterr()
    backend.complete("base", requests[:1], Sampling(4), lambda index, out: None)
    assert capsys.readouterr().err == ""
    for run in backend.runs:
        backend.complete(run, requests, Sampling(4), lambda index, out: None)
    assert capsys.readouterr().err == (
        f"eval.run: with --max-new-tokens 4, {sum(one > lengths[1] for one in lengths)} of 4 prompts (the longest has "
        f"{lengths[-1]} tokens) may exceed the model's context of {lengths[1] + 4} (max_position_embeddings)\n"
    )
