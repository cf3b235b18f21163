"""Traces from the rows of a source, through a column map."""

from __future__ import annotations

import ast
import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from axolotl_alttrain.data.build_config import ColumnMap, SourceConfig
from axolotl_alttrain.data.screening.exclusion_logs import Rejection
from axolotl_alttrain.data.screening.languages import detect
from axolotl_alttrain.data.sources.presets import PRESETS, Preset
from axolotl_alttrain.data.sources.row_loading import load_rows
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.errors import RowError, described
from axolotl_alttrain.format.example import BLANK_LINE, LABELS, AltTrainExample, Label
from axolotl_alttrain.format.reading.prompt_columns import PROMPT_COLUMNS, filled, tools_of, with_prompt_columns
from axolotl_alttrain.format.row_reader import RowReader, UnreadCount
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.format.think_tags import split_unfinished, unwrapped

LOG = logging.getLogger(__name__)
_READER = RowReader()


@dataclass(frozen=True)
class SourceRow:
    """One row of a source.

    Attributes:
        trace: The row as a trace.
        example: The finished example, if the row already has AltTrain's steps.
        fault: Why the row cannot be used; None if it can.
        unread: Names of columns that are not used.
    """

    trace: Trace
    example: AltTrainExample | None = None
    fault: Rejection | None = None
    unread: tuple[str, ...] = ()


def source_name(config: SourceConfig) -> str:
    """The name of a source in the report and in its rows."""
    return config.name or config.preset or str(config.path)


def source_path(config: SourceConfig) -> str:
    """The Hub ID or file of a source."""
    return config.path or (PRESETS[config.preset].path if config.preset else "")


def read_source(config: SourceConfig) -> Iterator[SourceRow]:
    """Yield the rows of one source, in order. At the end, log which columns were not used.

    Raises:
        AltTrainError: The source cannot be loaded.
        RowError: A mapped column does not exist, or a value has the wrong type; the message names file and row.
    """
    path = source_path(config)
    preset = PRESETS[config.preset] if config.preset else Preset(path, config.columns, language=None)
    preset = replace(preset, label=config.label or preset.label, language=config.language or preset.language)
    columns = config.columns or preset.columns
    read, unread = 0, UnreadCount()
    for number, row in load_rows(path, config.split, config.subset, config.streaming):
        try:
            found = _from_map(row, columns, config, preset) if columns else _from_example(row, config, preset)
        except RowError as error:
            raise row_error(error, row, path, number) from None
        if found.trace.label is not None and found.trace.label not in config.take:
            continue
        unread.add(found.unread)
        yield found
        read += 1
        if config.limit and read >= config.limit:
            break
    for sentence in unread.sentences():
        LOG.info("%s: %s", path, sentence)


def _from_map(row: Mapping[str, Any], columns: ColumnMap, config: SourceConfig, preset: Preset) -> SourceRow:
    mapped = {name for name in columns.model_dump().values() if name}
    others = {name: value for name, value in row.items() if name not in mapped}
    query, fault = _query(_text(row, columns.query), others)
    if columns.response:
        thought, answer, closed = split_unfinished(_text(row, columns.response))
        if not closed:
            fault = Rejection("unfinished", "the thought has no end: no </think>")
    else:
        thought, answer = unwrapped(_text(row, cast(str, columns.thought))), _text(row, cast(str, columns.answer))
    if not query.strip():
        fault = Rejection("no_query", "the query is empty")
    trace = Trace(
        id=_id(row, columns.id, query),
        instruction=query,
        thought=thought,
        answer=answer,
        label=(_label(row, columns.label, config) if columns.label else None) or preset.label,
        category=_category(row.get(columns.category)) if columns.category else None,
        source=source_name(config),
        language=_language(row, columns.language, preset, query),
    )
    return SourceRow(trace, None, fault, tuple(n for n in others if n not in PROMPT_COLUMNS and filled(others, n)))


def _query(query: str, others: Mapping[str, Any]) -> tuple[str, Rejection | None]:
    """The query with its input, and the fault of a row whose prompt is more than one text."""
    try:
        prompt = with_prompt_columns("instruction", query, others)
        tools_of(others)
    except RowError as error:
        return query, Rejection("prompt_column", error.fault)
    more = [name for name in PROMPT_COLUMNS if name != "input" and filled(others, name)]
    if more:
        return query, Rejection("prompt_column", f"'{more[0]}' belongs to the prompt; only single queries are built")
    return prompt, None


def _from_example(row: Mapping[str, Any], config: SourceConfig, preset: Preset) -> SourceRow:
    """A row with AltTrain's steps; ``structure: rebuild`` turns it into a trace without the assessment."""
    fault = Rejection("no_loss", "its last turn is marked 'train: false' or 'weight: 0'")
    example: AltTrainExample | None = None
    unread: tuple[str, ...] = ()
    try:
        read = _READER(row)
        example, unread = read.example, read.unread
    except RowError as error:
        fault = Rejection("no_structure", error.fault)
    if example is None:
        query, label = str(row.get("instruction") or row.get("messages")), row.get("label")
        known = cast(Label, label) if label in LABELS else None
        return SourceRow(
            Trace(_id(row, "id", query), query, "", "", known, None, source_name(config), None), None, fault
        )
    query = _last_text(example)
    trace = Trace(
        id=_id(row, "id", query),
        instruction=query,
        thought=example.problem_understanding + BLANK_LINE + example.conditional_reasoning,
        answer=example.answer,
        label=example.label,
        category=example.category,
        source=source_name(config),
        language=example.language or preset.language or detect(query),
    )
    if config.structure == "rebuild":
        if isinstance(example.instruction, tuple) or example.tools or example.tool_calls:
            return SourceRow(trace, None, Rejection("conversation", "only single queries are rebuilt"), unread)
        return SourceRow(trace, unread=unread)
    return SourceRow(trace, replace(example, source=trace.source, language=trace.language, id=trace.id), unread=unread)


def _last_text(example: AltTrainExample) -> str:
    """The text of the last user turn."""
    content = example.messages[-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) if isinstance(part, Mapping) else str(part) for part in content)


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        raise RowError(column, "is not in the source", f"name one of its columns: {', '.join(sorted(row))}")
    value = row[column]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(column, described(value), "name a column of strings")
    return value


def _id(row: Mapping[str, Any], column: str | None, query: str) -> str:
    value = row.get(column) if column else None
    return str(value) if value is not None else hashlib.sha256(query.encode()).hexdigest()[:12]


def _label(row: Mapping[str, Any], column: str, config: SourceConfig) -> Label | None:
    value = row.get(column)
    if value is None:
        return None
    if config.labels:
        if str(value) not in config.labels:
            known = ", ".join(config.labels)
            raise RowError(column, described(value), f"add it to 'labels' of the source, which maps {known}")
        return config.labels[str(value)]
    for label in LABELS:  # `harmful` itself, or SafeChain's names such as `adversarial_harmful`
        if str(value) == label or str(value).endswith(f"_{label}"):
            return label
    raise RowError(column, described(value), "map it to 'harmful' or 'benign' with 'labels' of the source")


def _category(value: Any) -> str | None:
    """The category; of a list, which may be written as text, the first one."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    return None if value is None else str(value)


def _language(row: Mapping[str, Any], column: str | None, preset: Preset, query: str) -> str:
    value = (row.get(column) if column else None) or preset.language
    return str(value) if value else detect(query)
