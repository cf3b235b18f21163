"""A model of a real architecture with random weights, made without a network and loaded through the normal path.

The checkpoint is one safetensors file whose data is a hole: all zeros, and no space on the disk. After loading (and
quantizing) it as any other, its weights are drawn at random in place, since a GPU runs faster on zeros.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_STD = 0.02
# The largest of 64 normal values with that deviation, about: what scales a block of NF4.
_BLOCK_SCALE = 0.05


def write_blank_checkpoint(config: Any, folder: Path) -> None:
    """Write ``config.json`` and a ``model.safetensors`` of zeros in bfloat16.

    Args:
        config: A transformers config.
        folder: An existing folder.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    tied = set(getattr(model, "_tied_weights_keys", None) or ()) if config.tie_word_embeddings else set()
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in model.state_dict().items():
        if name not in tied:
            start, end = end, end + 2 * tensor.numel()
            entries[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end)
    config.save_pretrained(folder)


def randomize(model: Any, seed: int = 0) -> None:
    """Draw all weights of a loaded model at random, in place; packed NF4 weights as random codes."""
    import torch

    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            state = getattr(parameter, "quant_state", None)
            if state is not None:
                parameter.data.view(torch.uint8).random_(0, 256)
                if state.nested:
                    state.offset = torch.full_like(torch.as_tensor(state.offset), _BLOCK_SCALE)
                else:
                    state.absmax.fill_(_BLOCK_SCALE)
            elif "norm" in name:
                parameter.fill_(1.0)
            elif parameter.is_floating_point():
                parameter.normal_(0.0, _STD)
