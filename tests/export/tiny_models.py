"""Tiny real models, and adapters trained on them for a few steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4

TRAINED_NF4 = {**NF4, "bnb_4bit_compute_dtype": "float32", "bnb_4bit_quant_storage": "bfloat16"}
IDS = torch.tensor([[1, 9, 4, 30, 2, 17, 61, 0, 12, 3], [5, 5, 8, 41, 63, 22, 7, 19, 1, 2]])


@dataclass(frozen=True)
class Tiny:
    """A base and an adapter on the disk, and the vocabulary that was trained."""

    base: Path
    adapter: Path
    vocabulary: int


def word_tokenizer(words: int) -> Any:
    """A tokenizer of whole words, w0 to wN, with a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = {f"w{number}": number for number in range(words)}
    inner = Tokenizer(models.WordLevel(tokens, unk_token="w0"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="w2", pad_token="w0")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ' ' + m['content'] + ' w2 ' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant ' }}{% endif %}"
    )
    return tokenizer


def save_base(folder: Path, family: str = "llama", tied: bool = False, words: int = 64, **settings: Any) -> Path:
    """A two-layer model with random weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(3)
    sizes = {
        "vocab_size": words,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    config = AutoConfig.for_model(family, **{**sizes, "tie_word_embeddings": tied, **settings})
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    word_tokenizer(words).save_pretrained(folder)
    return folder


def train(base: Path, adapter: Path, quantization: Any = TRAINED_NF4, words: int | None = None, **lora: Any) -> Tiny:
    """Train an adapter for three steps, and save what Axolotl saves beside it, and its logits in ``logits.pt``.

    Args:
        base: Of :func:`save_base`.
        adapter: A new folder.
        quantization: Written into the config beside the adapter, as Axolotl does.
        words: The vocabulary to which the model is grown before the training.
        lora: For peft's ``LoraConfig``.
    """
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if words:
        model.resize_token_embeddings(words, mean_resizing=False)
    config = LoraConfig(task_type="CAUSAL_LM", **{"r": 4, "target_modules": "all-linear", **lora})
    tuned = get_peft_model(model, config)
    optimizer = torch.optim.Adam([one for one in tuned.parameters() if one.requires_grad], lr=0.05)
    ids = IDS if not words else torch.cat([IDS, torch.tensor([[words - 1] * IDS.shape[1]])])
    for _ in range(3):
        optimizer.zero_grad()
        tuned(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    tuned.save_pretrained(adapter)
    torch.save(logits(tuned.eval()), adapter / "logits.pt")
    saved = model.config.to_dict() | ({"quantization_config": dict(quantization)} if quantization else {})
    (adapter / "config.json").write_text(json.dumps(saved, default=str), encoding="utf-8")
    word_tokenizer(words or model.config.vocab_size).save_pretrained(adapter)
    return Tiny(base, adapter, words or model.config.vocab_size)


def loaded(tiny: Tiny, quantization: Any = TRAINED_NF4) -> Any:
    """The model as the evaluator loads it: base quantised and dequantised by transformers, and the adapter."""
    return load_model(ModelSpec(str(tiny.base), str(tiny.adapter), quantization=quantization, dtype="float32")).model


def logits(model: Any, ids: torch.Tensor = IDS) -> torch.Tensor:
    """The model's logits, shape (rows, tokens, vocabulary)."""
    with torch.inference_mode():
        return model(input_ids=ids).logits


def merged_in_memory(model: Any) -> dict[str, torch.Tensor]:
    """All weights after peft's own merge of the whole model, tied ones separated first."""
    inner = model.get_base_model()
    head = inner.get_output_embeddings()
    head = head.get_base_layer() if hasattr(head, "get_base_layer") else head
    if "weight" in head._parameters:
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
    return {name: tensor.detach() for name, tensor in model.merge_and_unload().state_dict().items()}
