"""The trained model's weights: each module of the base with the adapter added in float32, one module at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from axolotl_alttrain.export.base_form import BaseForm
from axolotl_alttrain.export.base_weights import BaseWeights
from axolotl_alttrain.export.skeleton import ADAPTER, Skeleton
from axolotl_alttrain.generation.trained.model_config import with_rows


@dataclass(frozen=True)
class MergedWeights:
    """The weights of the trained model.

    peft's layers do the sum, so that every variant of LoRA that they can merge is merged as they do it.

    Attributes:
        skeleton: Modules and adapter.
        base: The base's weights on the disk.
        form: What the training made of them.
    """

    skeleton: Skeleton
    base: BaseWeights
    form: BaseForm

    @cached_property
    def modules(self) -> dict[str, list[str]]:
        """The modules that own tensors, in the model's order, with the names of these tensors within them."""
        stored = set(self.skeleton.plain.state_dict())
        found: dict[str, list[str]] = {}
        for name, module in self.skeleton.plain.named_modules():
            owned = [*module._parameters, *module._buffers]
            if names := [one for one in owned if _joined(name, one) in stored]:
                found[name] = names
        return found

    @cached_property
    def untied(self) -> bool:
        """Whether the adapter makes tied weights differ, so that both have to be saved."""
        import torch

        for name, source in self.skeleton.tied.items():
            if not (self._is_adapted(name) or self._is_adapted(source)):
                continue
            if not torch.equal(self._tensor(name), self._tensor(source)):
                return True
        return False

    @property
    def lost_rows(self) -> dict[str, int]:
        """By the name of an embedding matrix, how many of its rows are neither in the base nor in the adapter.

        peft saves resized embeddings that it trains or finds changed; LoRA on one of two untied matrices saves only
        that one. Such rows are the mean of the others, see ``fit_vocabulary``.
        """
        found = {}
        for module in (name for name in self.modules if self._is_vocabulary(name)):
            name = _joined(module, "weight")
            added = self.skeleton.vocab_size - self.base.shape(self.skeleton.tied.get(name, name))[0]
            copies = [self._adapter_copy(one) for one in (name, *self._tied_with(name))]
            copies.append(_owned(_inside(self._at(module), trained=True), "weight"))
            if added > 0 and all(copy.is_meta for copy in copies):
                found[name] = added
        return found

    def tensors(self, module: str) -> Iterator[tuple[str, Any]]:
        """The tensors of one module, by their full names; tied ones only where they are untied.

        Sums are in float32; a tensor to which nothing was added has the type that it had during training.
        """
        left_out = set() if self.untied else set(self.skeleton.tied)
        wanted = [_joined(module, name) for name in self.modules[module]]
        if not set(wanted) <= left_out:
            yield from ((name, value) for name, value in self._values(module).items() if name not in left_out)

    def _tensor(self, name: str) -> Any:
        return self._values(name.rpartition(".")[0])[name]

    def _is_adapted(self, name: str) -> bool:
        module = name.rpartition(".")[0]
        return type(self._at(module)) is not type(self.skeleton.plain.get_submodule(module))

    def _values(self, module: str) -> dict[str, Any]:
        """The tensors of one module, after the sum; the module is empty again afterwards."""
        import torch
        from peft.tuners.lora.layer import ParamWrapper
        from peft.tuners.tuners_utils import BaseTunerLayer
        from peft.utils.other import TrainableTokensWrapper

        layer = self._at(module)
        inner = _inside(layer, trained=True)
        layer = layer.token_adapter if isinstance(layer, TrainableTokensWrapper) else layer
        names = self.modules[module]
        found = {name: self._base_value(module, name, inner) for name in names}
        if not isinstance(layer, BaseTunerLayer):
            return {_joined(module, name): value for name, value in found.items()}
        before = {name: _owned(inner, name) for name in names}
        for name, value in found.items():
            _put(inner, name, torch.nn.Parameter(value.to(torch.float32, copy=True), requires_grad=False))
        with torch.no_grad():
            while isinstance(layer, BaseTunerLayer):
                layer.merge()
                layer.merged_adapters.clear()
                layer = layer.base_layer if isinstance(layer, ParamWrapper) else None
        values = {_joined(module, name): _owned(inner, name).data for name in names}
        for name, tensor in before.items():
            _put(inner, name, tensor)
        return values

    def _at(self, module: str, trained: bool = True) -> Any:
        """The module of this name in the adapted model, in the adapter's wrapper if it has one.

        Args:
            module: Name in the plain model.
            trained: Step into copies that ``modules_to_save`` trained; into the originals otherwise.
        """
        found = self.skeleton.adapted.get_base_model()
        for part in filter(None, module.split(".")):
            found = getattr(_inside(found, trained), part)
        return found

    def _base_value(self, module: str, name: str, inner: Any) -> Any:
        """A tensor of the base: as the adapter's file has it, or else from the base's own files."""
        full = _joined(module, name)
        own = _owned(inner, name)
        for tensor in (own, *(self._adapter_copy(tied) for tied in self._tied_with(full))):
            if tensor is not None and not tensor.is_meta:
                return tensor.data
        stored = self.skeleton.tied.get(full, full)
        value = self.form.restore(module, name, self.base.read(stored))
        return with_rows(value, own.shape[0]) if self._is_vocabulary(module) else value

    def _tied_with(self, name: str) -> list[str]:
        tied = self.skeleton.tied
        source = tied.get(name, name)
        group = [source, *(one for one, other in tied.items() if other == source)]
        return [one for one in group if one != name] if len(group) > 1 else []

    def _adapter_copy(self, name: str) -> Any:
        """The base tensor of this name that the adapter's file holds, or one on the meta device."""
        module, _, tensor = name.rpartition(".")
        return _owned(_inside(self._at(module, trained=False), trained=False), tensor)

    def _is_vocabulary(self, module: str) -> bool:
        plain = self.skeleton.plain
        return plain.get_submodule(module) in (plain.get_input_embeddings(), plain.get_output_embeddings())


def _inside(module: Any, trained: bool) -> Any:
    """The module that owns the weights inside a wrapper of peft; any other module itself."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper, TrainableTokensWrapper

    if isinstance(module, ModulesToSaveWrapper):
        return module.modules_to_save[ADAPTER] if trained else module.original_module
    if isinstance(module, TrainableTokensWrapper):
        return module.token_adapter.get_base_layer()
    return module.get_base_layer() if isinstance(module, BaseTunerLayer) else module


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _owned(module: Any, name: str) -> Any:
    return module._parameters[name] if name in module._parameters else module._buffers[name]


def _put(module: Any, name: str, tensor: Any) -> None:
    if name in module._parameters:
        module._parameters[name] = tensor
    else:
        module._buffers[name] = tensor.data
