"""The rows of a recipe as they are trained: every example with its segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from axolotl_alttrain.cli.recipe import Recipe, Source
from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.reading.texts_in_prompt import missing_texts
from axolotl_alttrain.format.reasoning.conversation import KIND, Conversation
from axolotl_alttrain.format.reasoning.segments_of_pieces import cut_pieces
from axolotl_alttrain.format.reasoning.trained_rows import RowRenderer, TrainedRow
from axolotl_alttrain.format.row_reader import UnreadCount
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.format.rows_left import LengthRules, check_rows_left
from axolotl_alttrain.format.segments import Segment, cut_into_segments
from axolotl_alttrain.prompt_strategies.batches import rows_of

Example = AltTrainExample | Conversation
BATCH_ROWS = 1_000


@dataclass(frozen=True)
class PreviewRow:
    """One training row.

    Attributes:
        source: Path of the dataset.
        number: Row number in the dataset, from 1.
        example: The example.
        segments: Its segments, in order.
        dropped: Whether it is longer than ``sequence_len``.
    """

    source: str
    number: int
    example: Example
    segments: list[Segment]
    dropped: bool

    @property
    def kind(self) -> str:
        """What the row is: AltTrain or ordinary reasoning data, and the mode where it is the non-thinking one."""
        if not isinstance(self.example, Conversation):
            return "AltTrain"
        name = "reasoning" if self.example.label == KIND else "AltTrain"
        return f"{name}, without thinking" if self.example.mode == "off" else name

    @property
    def tokens(self) -> int:
        """Length of ``input_ids``."""
        return sum(len(segment.ids) for segment in self.segments)

    @property
    def prompt_tokens(self) -> int:
        """Number of tokens before the first one that carries loss."""
        return sum(len(segment.ids) for segment in takewhile(lambda segment: not segment.trained, self.segments))


def check_left(recipe: Recipe, rows: Sequence[PreviewRow]) -> None:
    """Check that the config leaves at least half of each dataset's rows to train.

    Raises:
        AltTrainError: It does not.
    """
    cfg = recipe.cfg
    rules = LengthRules(cfg.sequence_len, cfg.min_sample_len or 0, cfg.excess_length_strategy)
    if not rules.spares_training and not rules.shortest:
        return  # a row over the limit stops the training
    for source in recipe.sources:
        lengths = [(row.tokens, row.prompt_tokens) for row in rows if row.source == source.path]
        check_rows_left(f"datasets: {source.path}", lengths, rules)


def read_rows(
    recipe: Recipe, progress: Callable[[int], None] = lambda _: None, unread: UnreadCount | None = None
) -> Iterator[PreviewRow]:
    """Every row of every AltTrain dataset of a recipe, rendered and tokenized.

    Args:
        recipe: From :func:`~.recipe.load_recipe`.
        progress: Called with the number of rows of each finished batch.
        unread: Counts what of the rows is not trained.

    Raises:
        RowError: A row is not valid; the message names file, row and field.
    """
    for source in recipe.sources:
        for start in range(0, len(source.rows), BATCH_ROWS):
            columns = source.rows[start : start + BATCH_ROWS]
            batch = rows_of(columns)
            for number, example, segments in _cut(source, batch, start, unread or UnreadCount()):
                tokens = sum(len(segment.ids) for segment in segments)
                yield PreviewRow(source.path, number, example, segments, tokens > recipe.cfg.sequence_len)
            progress(len(batch))


def _cut_pieces(
    source: Source, renderer: RowRenderer, batch: Sequence[dict[str, Any]], start: int, unread: UnreadCount
) -> list[tuple[int, Example, list[Segment]]]:
    """As :func:`_cut`, for rows of another kind or in another mode; a row is there once for each mode."""
    rendered: list[tuple[int, TrainedRow]] = []
    for number, row in enumerate(batch, start + 1):
        with _named(source, number, row):
            found = renderer(row)
            unread.left_out += not found
            rendered += [(number, trained) for trained in found]
            unread.add(found[0].unread if found else ())
    segments = cut_pieces(source.chat, [trained.pieces for _, trained in rendered])
    pairs = zip(rendered, segments, strict=True)
    return [(number, trained.example, cut) for (number, trained), cut in pairs if trained.example is not None]


def _cut(
    source: Source, batch: Sequence[dict[str, Any]], start: int, unread: UnreadCount
) -> list[tuple[int, Example, list[Segment]]]:
    """Numbers, examples and segments of the trained rows of a batch. Errors name the row."""
    if source.renderer is not None:
        return _cut_pieces(source, source.renderer, batch, start, unread)
    examples: dict[int, AltTrainExample] = {}
    for number, row in enumerate(batch, start + 1):
        with _named(source, number, row):
            read = source.reader(row)
            if read.example is None:
                unread.left_out += 1
                continue
            examples[number] = read.example
            unread.add(read.unread)
    try:
        segments = cut_into_segments(source.chat, list(examples.values()))
    except AltTrainError:
        for number, example in examples.items():
            with _named(source, number, batch[number - start - 1]):
                cut_into_segments(source.chat, [example])
        raise
    for (number, example), cut in zip(examples.items(), segments, strict=True):
        with _named(source, number, batch[number - start - 1]):
            unread.add(missing_texts(example, cut[0].text, "".join(segment.text for segment in cut[1:])))
    return [(number, example, cut) for (number, example), cut in zip(examples.items(), segments, strict=True)]


@contextmanager
def _named(source: Source, number: int, row: Mapping[str, Any]) -> Iterator[None]:
    """Add the place to an error about a row."""
    try:
        yield
    except RowError as error:
        raise row_error(error, row, source.path, number) from None
    except AltTrainError as error:
        raise AltTrainError(f"{source.path}, row {number}: {error}") from None
