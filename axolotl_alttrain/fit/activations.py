"""Activations that one decoder layer keeps for backward, counted by running it on the meta device under autograd hooks.

Fused kernels cannot run there. Each has a stand-in that keeps the same tensors as the kernel's
``save_for_backward``: Axolotl's ``kernels/lora.py``, Liger's ``ops/rms_norm.py``, ``rope.py`` and ``swiglu.py``,
and flash attention, which repeats key and value heads before the call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from axolotl_alttrain.fit.architecture import decoder_layers, meta_model

_ATTENTION = "alttrain_fit"
_TOKENS = 128


class Kept:
    """Tensors kept for backward. Views of one storage count once; parameters do not count."""

    def __init__(self, parameters: Any) -> None:
        self._not_counted = {p.untyped_storage()._cdata for p in parameters}
        # Tensors are held so that no storage address is reused.
        self._held: list[Any] = []
        self._bytes: dict[int, int] = {}

    def keep(self, *tensors: Any) -> None:
        """Count tensors. Also used as the hook that autograd calls with each saved tensor."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage._cdata not in self._not_counted:
                self._held.append(tensor)
                self._bytes[storage._cdata] = storage.nbytes()

    @property
    def bytes(self) -> int:
        """Total size."""
        return sum(self._bytes.values())


def bytes_per_token_and_layer(config: Any, cfg: Any) -> float:
    """Bytes that one decoder layer keeps per token in bfloat16 training with the recipe's kernels.

    Args:
        config: From :func:`~.architecture.read_architecture`.
        cfg: The recipe as Axolotl completes it.

    Raises:
        AltTrainError: The model does not have the structure of transformers' decoders.
    """
    # Nothing before the first layer needs a gradient, so it differs. The difference of two depths is an inner layer.
    two, three = (_kept(config, cfg, layers) for layers in (2, 3))
    return (three - two) / _TOKENS


def _kept(config: Any, cfg: Any, layers: int) -> int:
    import torch
    from torch.autograd.graph import saved_tensors_hooks

    model = meta_model(config, cfg, layers)
    model.train()
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)  # as under autocast
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    kept = Kept(model.parameters())
    base.set_attn_implementation(_register_attention(kept))
    restore = _put_stand_ins(base, cfg, kept)
    ids = torch.zeros(1, _TOKENS, dtype=torch.long, device="meta")
    # A four-dimensional mask is used as it is. Building one would read values, which meta tensors do not have.
    mask = torch.zeros(1, 1, 1, _TOKENS, device="meta")

    def pack(tensor: Any) -> Any:
        kept.keep(tensor)
        return tensor

    try:
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            base.model(input_ids=ids, attention_mask=mask, use_cache=False)
    finally:
        restore()
    return kept.bytes


def _register_attention(kept: Kept) -> str:
    """Register an attention that computes nothing and keeps what flash attention keeps; return its name."""
    import torch
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> tuple[Any, None]:
        batch, heads, tokens, width = query.shape
        repeated = key.new_empty(batch, heads, tokens, width)
        values = value.new_empty(batch, heads, tokens, value.shape[-1])
        out = query.new_empty(batch, tokens, heads, value.shape[-1])
        normalizer = query.new_empty(batch, heads, tokens, dtype=torch.float32)
        kept.keep(query, repeated, values, out, normalizer)
        return out.requires_grad_(), None

    AttentionInterface.register(_ATTENTION, attend)
    AttentionMaskInterface.register(_ATTENTION, lambda *args, **kwargs: None)
    return _ATTENTION


def _put_stand_ins(base: Any, cfg: Any, kept: Kept) -> Callable[[], None]:
    """Replace what the recipe's kernels replace; return a function that undoes changes outside this model."""
    # torch.compile fuses what Liger fuses, and recomputes in backward what is cheap.
    norms, ropes, gated = (
        key or cfg.torch_compile for key in (cfg.liger_rms_norm, cfg.liger_rope, cfg.liger_glu_activation)
    )
    for module in base.modules():
        if norms and type(module).__name__.endswith("RMSNorm"):
            module.forward = _keeping_input(kept)
    rope_of: dict[Any, Any] = {}
    for layer in decoder_layers(base):
        attention, mlp = getattr(layer, "self_attn", None), getattr(layer, "mlp", None)
        for names, wanted in ((("q_proj", "k_proj", "v_proj"), cfg.lora_qkv_kernel), (("o_proj",), cfg.lora_o_kernel)):
            projections: list[Any] = [getattr(attention, name, None) for name in names]
            if wanted and all(hasattr(p, "lora_A") for p in projections):
                for projection in projections:
                    projection.forward = _keeping_input(kept, projection.base_layer.out_features)
        if mlp is not None and all(hasattr(mlp, name) for name in ("gate_proj", "up_proj", "down_proj")):
            if cfg.lora_mlp_kernel and hasattr(mlp.gate_proj, "lora_A"):
                mlp.forward = _lora_mlp(mlp, kept)
            elif gated:
                mlp.forward = _liger_glu(mlp, kept)
        module = sys.modules[type(attention).__module__]
        if ropes and hasattr(module, "apply_rotary_pos_emb"):
            rope_of.setdefault(module, module.apply_rotary_pos_emb)
            module.apply_rotary_pos_emb = _rope  # type: ignore[attr-defined]

    def restore() -> None:
        for module, function in rope_of.items():
            module.apply_rotary_pos_emb = function

    return restore


def _keeping_input(kept: Kept, width: int | None = None) -> Callable[..., Any]:
    """A forward that keeps only its input."""

    def forward(x: Any, *_: Any, **__: Any) -> Any:
        kept.keep(x)
        return x.new_empty(*x.shape[:-1], width or x.shape[-1]).requires_grad_()

    return forward


def _lora_mlp(mlp: Any, kept: Kept) -> Callable[..., Any]:
    width = mlp.gate_proj.base_layer.out_features

    def forward(x: Any, *_: Any, **__: Any) -> Any:
        gate, up = (x.new_empty(*x.shape[:-1], width) for _ in range(2))
        kept.keep(x, gate, up)
        return x.new_empty(x.shape).requires_grad_()

    return forward


def _liger_glu(mlp: Any, kept: Kept) -> Callable[..., Any]:
    def forward(x: Any, *_: Any, **__: Any) -> Any:
        gate, up = mlp.gate_proj(x), mlp.up_proj(x)
        kept.keep(gate, up)
        return mlp.down_proj(gate.detach().new_empty(gate.shape).requires_grad_())

    return forward


def _rope(query: Any, key: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    """Keeps only the shared sines and cosines; rotates a copy in place."""
    return query.new_empty(query.shape).requires_grad_(), key.new_empty(key.shape).requires_grad_()
