from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.decoding import Decoded
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.loading import ModelSpec, find_model, load_model, load_tokenizer
from axolotl_alttrain.generation.quantization import NF4
from axolotl_alttrain.generation.sampling import Sampling, sampler

from ..export.tiny_models import logits, save_base, train, word_tokenizer

PROMPTS = ["Hi", "Name three colours of the rainbow, please."]


def test_everything_that_decoding_needs_is_there(tiny: tuple[Path, Path]) -> None:
    loaded = load_model(ModelSpec(str(tiny[0]), str(tiny[1]), dtype="float32"))
    assert not loaded.model.training
    assert (loaded.tokenizer.padding_side, loaded.tokenizer.pad_token_id is None) == ("left", False)
    assert (loaded.chat.thought.end, loaded.stop_ids, loaded.longest) == ("<|im_end|>", [2], 2048)
    assert loaded.located.identities == (identity(str(tiny[0])), identity(str(tiny[1])))
    assert loaded.located == find_model(ModelSpec(str(tiny[0]), str(tiny[1])))


def test_the_tokenizer_beside_the_adapter_comes_first(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(tiny[1], adapter)
    tokenizer = load_tokenizer(str(tiny[0]), "tokenizer")
    tokenizer.chat_template = tokenizer.chat_template + "{# trained #}"
    tokenizer.save_pretrained(adapter)
    assert load_model(ModelSpec(str(tiny[0]), str(adapter))).chat.chat_template.endswith("{# trained #}")


def test_a_prompt_is_completed_as_it_is_alone(tiny: tuple[Path, Path]) -> None:
    loaded = load_model(ModelSpec(str(tiny[0]), dtype="float32"))
    texts = [loaded.chat.prompt([{"role": "user", "content": prompt}]) for prompt in PROMPTS]
    together = loaded.complete(texts, 6)
    assert together == [loaded.complete([text], 6)[0] for text in texts]
    assert [(one.stopped, one.tokens) for one in together] == [(False, 6), (False, 6)]
    drawn = Sampling(6, 1.0, 0.95, 7)
    both = loaded.complete(texts, 6, pick=sampler(drawn, [3, 4]))
    assert loaded.complete(texts[1:], 6, pick=sampler(drawn, [4])) == both[1:]
    assert both != together


def test_a_completion_ends_before_its_stop_token(tiny: tuple[Path, Path]) -> None:
    loaded = load_model(ModelSpec(str(tiny[0]), dtype="float32"))

    def pick(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        return torch.tensor([[next(script[row])] for row in rows])

    (one, two) = loaded.tokenizer(["one", "two three"], add_special_tokens=False)["input_ids"]
    script = [iter([*one, 2]), iter([*two, 1, *two])]
    found = loaded.complete(["Hi", "Ho"], len(two) + 1, pick=pick)
    assert found == [
        Decoded("one", True, len(one) + 1, tuple(one)),
        Decoded("two three<|im_start|>", False, len(two) + 1, (*two, 1)),
    ]
    script = [iter([*two, 1, *two])]
    (plain,) = loaded.complete(["Hi"], len(two) + 1, pick=pick, skip_special_tokens=True)
    assert plain.text == "two three"


def test_four_bits_are_those_of_axolotl(tiny: tuple[Path, Path]) -> None:
    assert NF4["bnb_4bit_use_double_quant"] is True
    plain, packed = (load_model(ModelSpec(str(tiny[0]), quantization=how, dtype="float32")) for how in (None, NF4))
    ids = torch.tensor([[1, 15, 300]])
    with torch.inference_mode():
        assert not torch.equal(plain.model(ids).logits, packed.model(ids).logits)
    assert packed.model.dtype == torch.float32


def test_a_model_that_cannot_be_loaded_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(AltTrainError, match=f"^--guard-model {tmp_path} cannot be loaded .*; check the name") as one:
        load_model(ModelSpec(str(tmp_path), flag="--guard-model"))
    assert "\n" not in str(one.value)
    with pytest.raises(AltTrainError, match=r"^tokenizer no/such cannot be loaded \(OSError: "):
        load_tokenizer("no/such", "tokenizer no/such")


def test_a_folder_that_is_missing_is_not_looked_for_on_the_hub(tiny: tuple[Path, Path]) -> None:
    for spec, said in (
        (ModelSpec("/no/such/model"), "--model /no/such/model"),
        (ModelSpec(str(tiny[0]), "outputs/no/adapter"), "--adapter outputs/no/adapter"),
    ):
        with pytest.raises(AltTrainError) as one:
            find_model(spec)
        assert str(one.value) == f"{said}: there is no such folder; check the path"


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize(
    "lora",
    [
        {"target_modules": ["q_proj"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens", "lm_head"]},
        {"target_modules": ["q_proj"], "trainable_token_indices": [64, 65]},
        {"target_modules": ["q_proj", "embed_tokens", "lm_head"]},
    ],
    ids=["pad token", "embeddings", "new tokens only", "lora on both"],
)
def test_an_adapter_with_a_grown_vocabulary_computes_as_trained(
    lora: dict[str, Any], tied: bool, tmp_path: Path
) -> None:
    tiny = train(save_base(tmp_path / "base", tied=tied), tmp_path / "run", None, words=66, **lora)
    model = load_model(ModelSpec(str(tiny.base), str(tiny.adapter), dtype="float32")).model
    assert logits(model).shape[-1] == 66
    torch.testing.assert_close(logits(model), torch.load(tiny.adapter / "logits.pt"))


def test_a_vocabulary_that_only_the_tokenizer_shows_is_filled_with_the_mean(tmp_path: Path) -> None:
    tiny = train(save_base(tmp_path / "base"), tmp_path / "run", None, target_modules=["q_proj"])
    (tiny.adapter / "config.json").unlink()
    word_tokenizer(66).save_pretrained(tiny.adapter)
    rows = load_model(ModelSpec(str(tiny.base), str(tiny.adapter), dtype="float32")).model.get_input_embeddings().weight
    assert rows.shape == (66, 64)
    assert torch.equal(rows[65], rows[:64].mean(dim=0))
