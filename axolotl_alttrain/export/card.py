"""The README of an exported model: which weights these are, how to serve them, how to measure them."""

from __future__ import annotations

from axolotl_alttrain.eval.report.card.model_card import BEGIN, END
from axolotl_alttrain.generation.demo_model import published_model
from axolotl_alttrain.generation.quantization import quantization_name
from axolotl_alttrain.generation.trained.export_record import ExportRecord


def readme(record: ExportRecord, name: str, shown_dtype: str) -> str:
    """The model card of an export. ``python -m eval.run card --push`` later puts the results in its section.

    Args:
        record: What was exported.
        name: The model's name.
        shown_dtype: The type of the weights, for vLLM's ``--dtype``.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=published_model(record.base.name),
        model_name=name,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["alttrain", "safety"],
    )
    rows = {
        "weights": record.description,
        "base": record.base.name + (f" at {record.base.commit}" if record.base.commit else ""),
        "adapter": record.adapter.name,
        "base during training": quantization_in_words(record.trained_quantization)
        if record.training_known
        else "unknown",
        "base in this model": quantization_in_words(record.base_quantization) + ", then dequantised"
        if record.base_quantization
        else quantization_in_words(None),
        "saved in": record.dtype,
    }
    table = "\n".join(f"| {what} | {value} |" for what, value in rows.items())
    return f"""---
{data.to_yaml()}
---

# {name}

Trained with AltTrain and exported with `axolotl alttrain export`: {record.description}.

The chat template renders the prompt that was trained, and `generation_config.json` holds every stop token.

| | |
| --- | --- |
{table}

## Serve

```bash
vllm serve {name} --dtype {shown_dtype}
```

## Measure

```bash
axolotl alttrain check-export {name}     # against the adapter as it was trained
axolotl alttrain evaluate --weights {name}
```

{BEGIN}
## Safety evaluation

Not measured yet.
{END}
"""


def quantization_in_words(quantization: dict[str, object] | None) -> str:
    """A quantisation of bitsandbytes in words: ``NF4, double quantisation``."""
    if not quantization:
        return "full precision"
    if quantization.get("load_in_8bit"):
        return "8 bits (LLM.int8)"
    return quantization_name(quantization) + (
        ", double quantisation" if quantization.get("bnb_4bit_use_double_quant") else ""
    )
