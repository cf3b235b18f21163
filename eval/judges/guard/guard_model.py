"""A causal language model that reads and writes batches of token rows for a guard judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axolotl_alttrain.eval.judges.guard.guard_verdict import Tokens

from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4


class GuardModel:
    """A guard's weights and tokenizer.

    Args:
        name: Folder or hub id.
        load_in_4bit: Load it in NF4.

    Attributes:
        name: As given.
        tokenizer: The guard's.
        longest: Most tokens it can read; None where its config does not say.
        commit: The hub's commit, where it came from there.
        on_gpu: Whether it is on a GPU.

    Raises:
        AltTrainError: It cannot be loaded.
    """

    def __init__(self, name: str, load_in_4bit: bool = False) -> None:
        loaded = load_model(ModelSpec(name, quantization=NF4 if load_in_4bit else None, flag="--guard-model"))
        self.name, self.on_gpu = name, loaded.on_gpu
        self.tokenizer, self._model, self._stops = loaded.tokenizer, loaded.model, loaded.stop_ids
        self.longest, self.commit = loaded.longest, loaded.located.commit

    def next(self, rows: Sequence[Tokens], wanted: Sequence[int]) -> tuple[list[int], list[list[float]]]:
        """For each row the likeliest next token, and the logarithmic probability of each of ``wanted``."""
        import torch

        from axolotl_alttrain.generation.decoding import decode

        shares: list[list[float]] = []

        def pick(logits: Any, _: list[int]) -> Any:
            shares.extend(torch.log_softmax(logits.float(), dim=-1)[:, list(wanted)].tolist())
            return logits.argmax(-1, keepdim=True)

        new = decode(self._model, *self._padded(rows), self._stops, 1, pick=pick)
        return [one[0] for one in new], shares

    def write(self, rows: Sequence[Tokens], tokens: int) -> list[Tokens]:
        """What it writes after each row, greedily."""
        from axolotl_alttrain.generation.decoding import decode

        return [tuple(one) for one in decode(self._model, *self._padded(rows), self._stops, tokens)]

    def _padded(self, rows: Sequence[Tokens]) -> tuple[Any, Any]:
        """Token ids and mask, ``[batch, length]``, padded on the left."""
        from axolotl_alttrain.generation.decoding import left_padded

        return left_padded(rows, 0, self._model.device)

    def text(self, ids: Sequence[int]) -> str:
        """Text of tokens, without control tokens."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def encode(self, text: str) -> Tokens:
        """Tokens of a text, which has its own beginning-of-sequence token if it needs one."""
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def tokens_of(self, row: Tokens, begin: int, end: int) -> tuple[int, int]:
        """The tokens over the characters from ``begin`` to ``end``; white space before them may belong to the first."""
        lengths = [len(self.text(row[:n])) for n in range(len(row) + 1)]
        first = max(n for n, length in enumerate(lengths) if length <= begin)
        return first, next(n for n, length in enumerate(lengths) if length >= end)
