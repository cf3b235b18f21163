"""``type: alttrain``: tokenize AltTrain examples with loss on exactly what the model generates.

``input_ids`` is the prompt as inference renders it, followed by the separately tokenized completion. ``labels`` is
-100 on the prompt and equals ``input_ids`` on the whole completion, including its end-of-turn token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, overload

import pyarrow.compute as pc
from axolotl.prompt_tokenizers import IGNORE_INDEX, DatasetWrappingStrategy, PromptTokenizingStrategy
from axolotl.prompters import UnsupportedPrompter
from axolotl.utils.logging import get_logger
from axolotl_alttrain.prompt_strategies.batches import (
    COLUMNS,
    NUMBER,
    UNREAD,
    RenderedRow,
    TokenizedRow,
    Tokens,
    TokensBatch,
    is_batch,
    rows_of,
    tokenized,
    tokens_of,
)
from axolotl_alttrain.prompt_strategies.entry_format import learned_chat
from datasets import Dataset, IterableDataset

from axolotl_alttrain.compat import dataset_wrapper
from axolotl_alttrain.errors import AltTrainError, RowError, TemplateError
from axolotl_alttrain.fingerprint import code_digest
from axolotl_alttrain.format.reading.prompt_columns import prompt_field
from axolotl_alttrain.format.reading.texts_in_prompt import missing_texts
from axolotl_alttrain.format.reasoning.trained_rows import RowRenderer, row_renderer, thinking_option
from axolotl_alttrain.format.row_reader import RowReader, UnreadCount
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.format.rows_left import LengthRules, check_rows_left
from axolotl_alttrain.format.template import ChatFormat

LOG = get_logger(__name__)
BATCH_ROWS = 1_000  # as in Axolotl's own strategies


class AltTrainStrategy(PromptTokenizingStrategy, DatasetWrappingStrategy):
    """Tokenize rows in any of the three shapes of :mod:`axolotl_alttrain.format.rows`, without truncation.

    Args:
        chat: The chat format learned from the tokenizer's template.
        sequence_len: Maximum length of a row, in tokens.
        file: Path of the dataset, for error messages.
        excess_length_strategy: ``drop`` or ``truncate`` if the config says so; otherwise an overlong row is an
            error.
        min_sample_len: Length below which Axolotl drops a row, in tokens.
        reader: Reads the rows, under the names that the entry gives.
        renderer: Renders rows of another kind, or in another mode than thinking; None for AltTrain rows that think.
    """

    def __init__(
        self,
        chat: ChatFormat,
        sequence_len: int,
        file: str = "data",
        excess_length_strategy: str | None = None,
        reader: RowReader | None = None,
        renderer: RowRenderer | None = None,
        min_sample_len: int = 0,
    ) -> None:
        super().__init__(UnsupportedPrompter(), chat.tokenizer, train_on_inputs=False, sequence_len=sequence_len)
        self.chat = chat
        self.file = file
        self.rules = LengthRules(sequence_len, min_sample_len, excess_length_strategy)
        self.reader = reader or RowReader()
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
            ``input_ids``, ``attention_mask`` and ``labels``, of equal length in each row. A row whose last turn is
            marked as untrained has no tokens; a batch leaves it out. With ``thinking: both`` one row gives a batch.

        Raises:
            RowError: A row is not valid; the message names file, row and field.
        """
        if not is_batch(prompt):
            found = tokens_of(self._tokenize_rows([prompt], numbers))
            return found if len(found["input_ids"]) > 1 else {name: values[0] for name, values in found.items()}
        return tokens_of([row for row in self._tokenize_rows(rows_of(prompt), numbers) if row.turns])

    def wrap_dataset(
        self,
        dataset: Dataset | IterableDataset,
        process_count: int | None = None,
        keep_in_memory: bool | None = False,
        **_: Any,
    ) -> Dataset | IterableDataset:
        """Tokenize a whole dataset. Rows are numbered so that errors can name them; untrained rows are left out."""
        if isinstance(dataset, IterableDataset):
            return dataset_wrapper()(self, dataset)
        if dataset.info.builder_name == "csv":
            LOG.warning(
                "%s: `datasets` read this CSV and takes NULL, NA and None for missing values, digits for numbers; "
                "name the file itself as 'path:' to keep its texts",
                self.file,
            )
        tokenized = dataset.map(
            self._tokenize_numbered,
            with_indices=True,
            batched=True,
            batch_size=BATCH_ROWS,
            num_proc=process_count,
            keep_in_memory=bool(keep_in_memory),
            remove_columns=dataset.column_names,
            features=COLUMNS,
            desc="Tokenizing AltTrain examples",
        )
        self._report_unread(tokenized, len(dataset))
        self._check_lengths(tokenized)
        return tokenized.remove_columns([NUMBER, UNREAD])

    def _tokenize_numbered(self, columns: Mapping[str, Any], numbers: Sequence[int]) -> dict[str, list[Any]]:
        """A batch for ``datasets``: the tokens of its trained rows, their numbers and unread fields."""
        rows = [row for row in self._tokenize_rows(rows_of(columns), numbers) if row.turns]
        unread = ["\n".join(row.unread) for row in rows]
        return {**tokens_of(rows), NUMBER: [row.number for row in rows], UNREAD: unread}

    def _tokenize_rows(self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int] | None) -> list[TokenizedRow]:
        known = [0] * len(rows) if numbers is None else [number + 1 for number in numbers]
        try:
            rendered = self._rendered(rows, known)
        except AltTrainError:  # once more, row by row, to name the first faulty one
            rendered = []
            for row, number in zip(rows, known, strict=True):
                with self._named(row, number):
                    rendered += self._rendered([row], [number])
        return tokenized(rendered, self.chat.encode)

    def _rendered(self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> list[RenderedRow]:
        """The texts of each row, once in each mode; without texts if it is left out."""
        found: list[RenderedRow] = []
        if self.renderer is not None:
            for row, number in zip(rows, numbers, strict=True):
                modes = [RenderedRow([p.text for p in one.pieces], number, one.unread) for one in self.renderer(row)]
                found += modes or [RenderedRow([], number)]
            return found
        read = [self.reader(row) for row in rows]
        texts = iter(self.chat.render_all([one.example for one in read if one.example is not None]))
        for one, number in zip(read, numbers, strict=True):
            if one.example is None:
                found.append(RenderedRow([], number, one.unread))
                continue
            shown = next(texts)
            found.append(RenderedRow(shown, number, (*one.unread, *missing_texts(one.example, *shown))))
        return found

    @contextmanager
    def _named(self, row: Mapping[str, Any], number: int) -> Iterator[None]:
        """Add the place to an error about a row."""
        try:
            yield
        except (RowError, TemplateError) as error:
            if isinstance(error, TemplateError):  # a role, or an order of turns, that this template rejects
                problem = f"does not fit the model: {error}"
                error = RowError(prompt_field(row), problem, "change its roles or their order")
            raise row_error(error, row, self.file, number or None) from None
        except AltTrainError as error:  # a template that does not come to an end
            raise AltTrainError(f"{self.file}{f', row {number}' * bool(number)}: {error}") from None

    def _report_unread(self, tokenized: Dataset, rows: int) -> None:
        """Log once what of the rows is not trained."""
        trained = len(tokenized.unique(NUMBER)) if len(tokenized) else 0  # with both modes, a row appears twice
        counted = UnreadCount(left_out=rows - trained)
        found = Counter(tokenized.with_format("arrow")[:][UNREAD].to_pylist()) if len(tokenized) else Counter()
        for names, number in found.items():
            counted.add(filter(None, names.split("\n")), number)
        for sentence in counted.sentences():
            LOG.warning("%s: %s", self.file, sentence)

    def _check_lengths(self, tokenized: Dataset) -> None:
        if not len(tokenized):
            raise AltTrainError(f"{self.file} has no rows to train; add at least one example")
        columns = tokenized.with_format("arrow")[:]
        lengths = pc.list_value_length(columns["input_ids"])
        longest, rules = pc.max(lengths).as_py(), self.rules
        if longest <= rules.longest and pc.min(lengths).as_py() >= rules.shortest:
            return
        too_long = pc.sum(pc.greater(lengths, rules.longest)).as_py()
        if too_long:
            first = columns[NUMBER][pc.index(lengths, longest).as_py()].as_py()
            message = (
                f"{self.file}: {too_long} of {len(tokenized)} rows are longer than sequence_len {rules.longest} "
                f"(the longest, row {first}, has {longest} tokens)"
            )
            if not rules.spares_training:
                raise AltTrainError(
                    f"{message}; set 'sequence_len: {longest}' or more, or 'excess_length_strategy: drop' to train "
                    "without them"
                )
            LOG.warning("%s; the config tells Axolotl to %s them", message, rules.strategy)
        prompts = (next((n for n, i in enumerate(row) if i != IGNORE_INDEX), len(row)) for row in tokenized["labels"])
        check_rows_left(self.file, zip(lengths.to_pylist(), prompts, strict=True), rules)


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


def strategy(chat: ChatFormat, cfg: Any, ds_cfg: Any = None, reasoning: bool = False) -> AltTrainStrategy:
    """The strategy for AltTrain rows, or for ordinary reasoning data, in the modes that the config names.

    Raises:
        TemplateError: The template lacks a mode.
    """
    ds, options = ds_cfg or {}, cfg.get("alttrain") or {}
    thinking = thinking_option(options.get("thinking"))
    file, reader = str(ds.get("path") or "data"), RowReader.of(cfg, ds)
    renderer = None
    if reasoning or thinking != "on":
        renderer = row_renderer(chat, reader, reasoning, thinking, options.get("reasoning_turns") or "last")
        for note in renderer.notes:
            LOG.info("%s: %s", file, note)
    return AltTrainStrategy(
        chat,
        sequence_len=cfg.get("sequence_len") or 2048,
        file=file,
        excess_length_strategy=cfg.get("excess_length_strategy"),
        reader=reader,
        renderer=renderer,
        min_sample_len=cfg.get("min_sample_len") or 0,
    )
