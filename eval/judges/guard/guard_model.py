"""A causal language model that reads and writes batches of token rows for a guard judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axolotl_alttrain.eval.judges.guard.guard_verdict import Tokens

from axolotl_alttrain.errors import AltTrainError


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
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

        from axolotl_alttrain.generation.quantization import NF4

        self.on_gpu = torch.cuda.is_available()
        options: dict[str, Any] = {"dtype": "auto", "device_map": "cuda" if self.on_gpu else "cpu"}
        if load_in_4bit:
            options["quantization_config"] = BitsAndBytesConfig.from_dict(
                {**NF4, "bnb_4bit_compute_dtype": torch.bfloat16}
            )
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(name)
            self._model: Any = AutoModelForCausalLM.from_pretrained(name, **options).eval()
        except (OSError, ValueError) as error:
            raise AltTrainError(
                f"--guard-model {name} cannot be loaded ({str(error).splitlines()[0]}); download it or give its folder"
            ) from None
        self.name = name
        ends = self._model.generation_config.eos_token_id
        self._stops = {*(ends if isinstance(ends, list) else [ends]), self.tokenizer.eos_token_id} - {None}
        self.longest: int | None = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        self.commit: str | None = getattr(self._model.config, "_commit_hash", None)

    def next(self, rows: Sequence[Tokens], wanted: Sequence[int]) -> tuple[list[int], list[list[float]]]:
        """For each row the likeliest next token, and the logarithmic probability of each of ``wanted``."""
        import torch

        from axolotl_alttrain.generation.greedy import greedy

        shares: list[list[float]] = []

        def pick(logits: Any, _: list[int]) -> Any:
            shares.extend(torch.log_softmax(logits.float(), dim=-1)[:, list(wanted)].tolist())
            return logits.argmax(-1, keepdim=True)

        new = greedy(self._model, *self._padded(rows), self._stops, 1, pick=pick)
        return [one[0] for one in new], shares

    def write(self, rows: Sequence[Tokens], tokens: int) -> list[Tokens]:
        """What it writes after each row, greedily."""
        from axolotl_alttrain.generation.greedy import greedy

        return [tuple(one) for one in greedy(self._model, *self._padded(rows), self._stops, tokens)]

    def _padded(self, rows: Sequence[Tokens]) -> tuple[Any, Any]:
        """Token ids and mask, ``[batch, length]``, padded on the left."""
        import torch

        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=self._model.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self._model.device)
        return ids, mask

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
