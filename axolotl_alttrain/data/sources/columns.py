"""Traces from the rows of a source, through a column map."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from axolotl_alttrain.data.build_config import ColumnMap, SourceConfig
from axolotl_alttrain.data.screening.exclusion_logs import Rejection
from axolotl_alttrain.data.screening.languages import detect
from axolotl_alttrain.data.sources.presets import PRESETS, Preset
from axolotl_alttrain.data.sources.row_loading import load_rows
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.errors import RowError, shown
from axolotl_alttrain.format.example import BLANK_LINE, LABELS, AltTrainExample, Label
from axolotl_alttrain.format.rows import THINK_CLOSE, THINK_OPEN, example_from_row, row_error


@dataclass(frozen=True)
class SourceRow:
    """One row of a source.

    Attributes:
        trace: The row as a trace.
        example: The finished example, if the row already has AltTrain's steps.
        fault: Why the row cannot be used; None if it can.
    """

    trace: Trace
    example: AltTrainExample | None = None
    fault: Rejection | None = None


def source_name(config: SourceConfig) -> str:
    """The name of a source in the report and in its rows."""
    return config.name or config.preset or str(config.path)


def source_path(config: SourceConfig) -> str:
    """The Hub ID or file of a source."""
    return config.path or (PRESETS[config.preset].path if config.preset else "")


def read_source(config: SourceConfig) -> Iterator[SourceRow]:
    """Yield the rows of one source, in order.

    Raises:
        AltTrainError: The source cannot be loaded.
        RowError: A mapped column does not exist, or a value has the wrong type; the message names file and row.
    """
    path = source_path(config)
    preset = PRESETS[config.preset] if config.preset else Preset(path, config.columns, language=None)
    preset = replace(preset, label=config.label or preset.label, language=config.language or preset.language)
    columns = config.columns or preset.columns
    read = 0
    for number, row in enumerate(load_rows(path, config.split, config.subset, config.streaming), 1):
        try:
            found = _from_map(row, columns, config, preset) if columns else _from_example(row, config, preset)
        except RowError as error:
            raise row_error(error, row, path, number) from None
        if found.trace.label is not None and found.trace.label not in config.take:
            continue
        yield found
        read += 1
        if config.limit and read >= config.limit:
            return


def _from_map(row: Mapping[str, Any], columns: ColumnMap, config: SourceConfig, preset: Preset) -> SourceRow:
    query = _text(row, columns.query)
    closed = True
    if columns.response:
        thought, answer, closed = split_response(_text(row, columns.response))
    else:
        thought, answer = _text(row, cast(str, columns.thought)), _text(row, cast(str, columns.answer))
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
    fault = None if closed else Rejection("unfinished", "the thought has no end: no </think>")
    return SourceRow(trace, None, fault if query.strip() else Rejection("no_query", "the query is empty"))


def _from_example(row: Mapping[str, Any], config: SourceConfig, preset: Preset) -> SourceRow:
    """A row with AltTrain's steps; ``structure: rebuild`` turns it into a trace without the assessment."""
    query = str(row.get("instruction"))
    try:
        example = example_from_row(row)
    except RowError as error:
        label = row.get("label") if row.get("label") in LABELS else None
        trace = Trace(_id(row, "id", query), query, "", "", cast(Any, label), None, source_name(config), None)
        return SourceRow(trace, None, Rejection("no_structure", f"{error.field}: found {error.found}"))
    trace = Trace(
        id=_id(row, "id", query),
        instruction=example.messages[-1]["content"] if isinstance(example.instruction, tuple) else query,
        thought=example.problem_understanding + BLANK_LINE + example.conditional_reasoning,
        answer=example.answer,
        label=example.label,
        category=example.category,
        source=source_name(config),
        language=example.language or preset.language or detect(query),
    )
    if config.structure == "rebuild":
        if isinstance(example.instruction, tuple):
            return SourceRow(trace, None, Rejection("conversation", "only single queries are rebuilt"))
        return SourceRow(trace)
    return SourceRow(trace, replace(example, source=trace.source, language=trace.language, id=trace.id))


def split_response(text: str) -> tuple[str, str, bool]:
    """Thought, answer, and whether the thought is closed. The opening tag may be missing, as in SafeChain."""
    before, closing, answer = text.partition(THINK_CLOSE)
    thought = before.replace(THINK_OPEN, "", 1) if before.lstrip().startswith(THINK_OPEN) else before
    return thought, answer, bool(closing)


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        raise RowError(column, f"no such column among {', '.join(sorted(row))}", "a column of the source")
    value = row[column]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(column, shown(value), "a text")
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
            allowed = f"one of the names that 'labels' of the source maps: {', '.join(config.labels)}"
            raise RowError(column, shown(value), allowed)
        return config.labels[str(value)]
    for label in LABELS:  # `harmful` itself, or SafeChain's names such as `adversarial_harmful`
        if str(value) == label or str(value).endswith(f"_{label}"):
            return label
    raise RowError(column, shown(value), "'harmful' or 'benign'; map other names with 'labels' of the source")


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
