"""``type: alttrain``: tokenize AltTrain examples with loss on exactly what the model generates.

``input_ids`` is the prompt as inference renders it, followed by the separately tokenized completion. ``labels`` is
-100 on the prompt and equals ``input_ids`` on the whole completion, including its end-of-turn token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

import pyarrow.compute as pc
from axolotl.prompt_tokenizers import IGNORE_INDEX, DatasetWrappingStrategy, PromptTokenizingStrategy
from axolotl.prompters import UnsupportedPrompter
from axolotl.utils.chat_templates import get_chat_template_from_config
from axolotl.utils.logging import get_logger
from datasets import Dataset, IterableDataset

from axolotl_alttrain.compat import dataset_wrapper
from axolotl_alttrain.errors import AltTrainError, RowError, TemplateError
from axolotl_alttrain.fingerprint import code_digest
from axolotl_alttrain.format.probing.chosen_template import is_jinja
from axolotl_alttrain.format.reasoning.pieces import Piece
from axolotl_alttrain.format.reasoning.trained_rows import RowRenderer, TrainedRow, row_renderer, thinking_option
from axolotl_alttrain.format.rows import example_from_row, row_error
from axolotl_alttrain.format.template import ChatFormat, learn_format

LOG = get_logger(__name__)
BATCH_ROWS = 1_000  # as in Axolotl's own strategies

Tokens = dict[str, list[int]]
TokensBatch = dict[str, list[list[int]]]
T = TypeVar("T")


class AltTrainStrategy(PromptTokenizingStrategy, DatasetWrappingStrategy):
    """Tokenize rows in any of the three shapes of :mod:`axolotl_alttrain.format.rows`, without truncation.

    Args:
        chat: The chat format learned from the tokenizer's template.
        sequence_len: Maximum length of a row, in tokens.
        file: Path of the dataset, for error messages.
        excess_length_strategy: ``drop`` or ``truncate`` if the config says so; otherwise an overlong row is an
            error.
        renderer: Renders rows of another kind, or in another mode than thinking; None for AltTrain rows that think.
    """

    def __init__(
        self,
        chat: ChatFormat,
        sequence_len: int,
        file: str = "data",
        excess_length_strategy: str | None = None,
        renderer: RowRenderer | None = None,
    ) -> None:
        super().__init__(UnsupportedPrompter(), chat.tokenizer, train_on_inputs=False, sequence_len=sequence_len)
        self.chat = chat
        self.file = file
        self.excess_length_strategy = excess_length_strategy
        self.renderer = renderer
        # `datasets` derives its cache key from this object's state, which does not include code.
        self.code = code_digest()

    @property
    def supports_batched(self) -> bool:
        """Rows are tokenized in batches."""
        return True

    @overload
    def tokenize_prompt(self, prompt: Mapping[str, Any]) -> Tokens | TokensBatch: ...
    @overload
    def tokenize_prompt(self, prompt: Mapping[str, Any], numbers: Sequence[int]) -> TokensBatch: ...
    def tokenize_prompt(self, prompt: Mapping[str, Any], numbers: Sequence[int] | None = None) -> Tokens | TokensBatch:
        """Tokenize one row, or the columns of a batch of rows.

        Args:
            prompt: One row, or a batch: a mapping from column to the values of all rows.
            numbers: The rows' indices in the dataset, from 0, if known.

        Returns:
            ``input_ids``, ``attention_mask`` and ``labels``, of equal length in each row. With ``thinking: both`` a
            row becomes two, and one row gives a batch.

        Raises:
            RowError: A row is not valid; the message names file, row and field.
        """
        if not _is_batch(prompt):
            found = self._tokenize_rows([prompt], numbers)
            return found if len(found["input_ids"]) > 1 else {name: values[0] for name, values in found.items()}
        columns = list(prompt)
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*prompt.values(), strict=True)]
        return self._tokenize_rows(rows, numbers)

    def wrap_dataset(
        self,
        dataset: Dataset | IterableDataset,
        process_count: int | None = None,
        keep_in_memory: bool | None = False,
        **_: Any,
    ) -> Dataset | IterableDataset:
        """Tokenize a whole dataset. Rows are numbered so that errors can name them."""
        if isinstance(dataset, IterableDataset):
            return dataset_wrapper()(self, dataset)
        tokenized = dataset.map(
            self.tokenize_prompt,
            with_indices=True,
            batched=True,
            batch_size=BATCH_ROWS,
            num_proc=process_count,
            keep_in_memory=bool(keep_in_memory),
            remove_columns=dataset.column_names,
            desc="Tokenizing AltTrain examples",
        )
        if self.renderer is not None and (
            unread := self.renderer.unread(dataset.select(range(min(100, len(dataset)))))
        ):
            LOG.warning("%s: columns that are not read: %s", self.file, ", ".join(unread))
        self._check_lengths(tokenized)
        return tokenized

    def _tokenize_rows(self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int] | None) -> TokensBatch:
        if self.renderer is not None:
            return self._tokenize_pieces(self._each(self.renderer, rows, numbers))
        rendered = self._each(lambda row: [self.chat.render(example_from_row(row))], rows, numbers)
        prompts = self.chat.encode([prompt for prompt, _ in rendered])
        completions = self.chat.encode([completion for _, completion in rendered])
        pairs = list(zip(prompts, completions, strict=True))
        return {
            "input_ids": [prompt + completion for prompt, completion in pairs],
            "attention_mask": [[1] * (len(prompt) + len(completion)) for prompt, completion in pairs],
            "labels": [[IGNORE_INDEX] * len(prompt) + completion for prompt, completion in pairs],
        }

    def _tokenize_pieces(self, rows: Sequence[TrainedRow]) -> TokensBatch:
        found = iter(self.chat.encode([piece.text for row in rows for piece in row.pieces]))
        batch: TokensBatch = {"input_ids": [], "attention_mask": [], "labels": []}
        for row in rows:
            ids, labels = _joined(row.pieces, found)
            batch["input_ids"].append(ids)
            batch["attention_mask"].append([1] * len(ids))
            batch["labels"].append(labels)
        return batch

    def _each(
        self, render: Callable[[Mapping[str, Any]], list[T]], rows: Sequence[Mapping[str, Any]], numbers: Any
    ) -> list[T]:
        """Render rows. Errors name the row."""
        rendered: list[T] = []
        for position, row in enumerate(rows):
            try:
                rendered += render(row)
            except (RowError, TemplateError) as error:
                number = None if numbers is None else numbers[position] + 1
                if isinstance(error, TemplateError):  # a role, or an order of turns, that this template rejects
                    error = RowError(
                        "instruction", f"does not fit the model: {error}", "change its roles or their order"
                    )
                raise row_error(error, row, self.file, number) from None
        return rendered

    def _check_lengths(self, tokenized: Dataset) -> None:
        if not len(tokenized):
            raise AltTrainError(f"{self.file} has no rows; add at least one example")
        lengths = pc.list_value_length(tokenized.with_format("arrow")[:]["input_ids"])
        longest = pc.max(lengths).as_py()
        if longest <= self.sequence_len:
            return
        too_long = pc.sum(pc.greater(lengths, self.sequence_len)).as_py()
        first = pc.index(lengths, longest).as_py() + 1
        # With both modes, a position is no row of the file.
        named = "" if self.renderer is not None and self.renderer.doubles else f", row {first},"
        message = (
            f"{self.file}: {too_long} of {len(tokenized)} rows are longer than sequence_len {self.sequence_len} "
            f"(the longest{named} has {longest} tokens); set 'sequence_len: {longest}' or more"
        )
        if self.excess_length_strategy in ("drop", "truncate"):
            LOG.warning("%s; Axolotl will %s them, as the config says", message, self.excess_length_strategy)
            return
        raise AltTrainError(f"{message}, or 'excess_length_strategy: drop' to train without them")


def load(tokenizer: Any, cfg: Any, ds_cfg: Any = None) -> AltTrainStrategy:
    """Axolotl's entry point: the strategy for one ``datasets:`` entry.

    Args:
        tokenizer: The tokenizer that Axolotl loaded.
        cfg: The Axolotl config.
        ds_cfg: The ``datasets:`` entry.

    Raises:
        TemplateError: The tokenizer's chat template cannot carry the format.
    """
    return strategy(learned_chat(tokenizer, cfg, ds_cfg), cfg, ds_cfg)


def learned_chat(tokenizer: Any, cfg: Any, ds_cfg: Any = None) -> ChatFormat:
    """The chat format of a ``datasets:`` entry, in the thinking mode.

    Raises:
        TemplateError: The tokenizer's chat template cannot carry the format.
    """
    ds = ds_cfg or {}
    options = cfg.get("alttrain") or {}
    chat = learn_format(
        tokenizer,
        _chat_template(tokenizer, cfg, ds),
        kwargs=cfg.get("chat_template_kwargs"),
        stop_tokens=cfg.get("eot_tokens") or (),
        thought_format=options.get("thought_format") or "auto",
    )
    for note in chat.notes:
        LOG.info("%s: %s", ds.get("path") or "data", note)
    return chat


def strategy(chat: ChatFormat, cfg: Any, ds_cfg: Any = None, reasoning: bool = False) -> AltTrainStrategy:
    """The strategy for AltTrain rows, or for ordinary reasoning data, in the modes that the config names.

    Raises:
        TemplateError: The template lacks a mode.
    """
    ds, options = ds_cfg or {}, cfg.get("alttrain") or {}
    thinking = thinking_option(options.get("thinking"))
    file = str(ds.get("path") or "data")
    renderer = None
    if reasoning or thinking != "on":
        renderer = row_renderer(chat, reasoning, thinking, options.get("reasoning_turns") or "last")
        for note in renderer.notes:
            LOG.info("%s: %s", file, note)
    return AltTrainStrategy(
        chat,
        sequence_len=cfg.get("sequence_len") or 2048,
        file=file,
        excess_length_strategy=cfg.get("excess_length_strategy"),
        renderer=renderer,
    )


def _chat_template(tokenizer: Any, cfg: Any, ds: Any) -> str | Mapping[str, str] | None:
    """The chat template that the config names; None for the tokenizer's own."""
    if not (cfg.get("chat_template") or ds.get("chat_template")):
        return None
    given = ds if ds.get("chat_template") else cfg
    path = str(given.get("chat_template_jinja") or "")
    if given.get("chat_template") == "jinja" and path and not is_jinja(path) and not Path(path).is_file():
        raise TemplateError(
            f"chat_template_jinja: there is no file {path!r}, and this is no template; correct the path, which is "
            "relative to the folder that the command runs in"
        )
    try:
        return get_chat_template_from_config(cfg, ds, tokenizer)
    except ValueError as error:
        raise TemplateError(f"chat_template: {error}; correct it, or remove it to use the tokenizer's own") from None


def _joined(pieces: Sequence[Piece], encoded: Iterator[list[int]]) -> tuple[list[int], list[int]]:
    """The ids and labels of one row, whose pieces are the next of those encoded."""
    ids: list[int] = []
    labels: list[int] = []
    for piece in pieces:
        found = next(encoded)
        ids += found
        labels += found if piece.trained else [IGNORE_INDEX] * len(found)
    return ids, labels


def _is_batch(prompt: Mapping[str, Any]) -> bool:
    """Whether this is a batch: every column is a list, and one of conversations holds no single turns."""
    turns = prompt.get("messages") or prompt.get("conversations") or [None]
    return all(isinstance(values, list) for values in prompt.values()) and not isinstance(turns[0], Mapping)
