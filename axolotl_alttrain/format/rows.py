"""Convert rows of data files, in three shapes, to :class:`AltTrainExample`.

1. Columns: ``instruction``, ``label``, ``problem_understanding``, ``harmfulness_assessment``,
   ``conditional_reasoning``, ``answer``.
2. ``instruction`` and ``response``, with the thought inside ``<think>...</think>``, as in the authors'
   ``Yeonjun/R1-Act-train``. As in SafeChain, the opening tag may be missing.
3. ``messages`` that end with the assistant's turn, with ``reasoning_content`` (or ``thinking``) or inline tags.

A row in columns may leave out steps, for ablations: ``omitted`` lists them, e.g. ``["harmfulness_assessment"]``.
In shapes 2 and 3 the thought is split at its blank lines or, if there are too few, at its line breaks. ``label`` may
be left out; it then is the assessment's verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from axolotl_alttrain.errors import RowError, described, shown
from axolotl_alttrain.format.example import LABELS, STEPS, AltTrainExample, split_steps
from axolotl_alttrain.format.verdict import read_verdict
from axolotl_alttrain.storage.jsonl import read_jsonl

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
_REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
_OPTIONAL = ("id", "category", "source", "language")
_SHAPES = (
    "the columns instruction, label, problem_understanding, harmfulness_assessment, conditional_reasoning and "
    "answer; or instruction and response; or messages"
)


def example_from_row(row: Mapping[str, Any]) -> AltTrainExample:
    """Read one row in any of the three shapes.

    Args:
        row: Column names to values. ``None`` counts as missing, because Arrow fills absent columns with it.

    Raises:
        RowError: The row has none of the shapes, or a field is not valid. :func:`row_error` adds file and row.
    """
    row = {name: value for name, value in row.items() if value is not None}
    if any(name in row for name in STEPS):
        fields = {name: row.get(name) for name in ("instruction", "label", *STEPS, "answer")}
    elif "messages" in row:
        fields = _from_messages(row)
    elif "response" in row:
        reasoning, answer = _split_tags("response", row["response"])
        fields = _from_reasoning("response", reasoning, row) | {"instruction": row.get("instruction"), "answer": answer}
    else:
        columns = f"has the columns {', '.join(sorted(row))}" if row else "has no columns"
        raise RowError("", f"{columns}, which is none of the three shapes", f"use {_SHAPES}")
    for name in _OPTIONAL:
        value = row.get(name)
        fields[name] = str(value) if name == "id" and isinstance(value, int) else value
    if row.get("omitted"):
        fields["omitted"] = row["omitted"]
    return AltTrainExample(**cast(Any, fields))


def row_error(error: RowError, row: Mapping[str, Any], file: str, number: int | None = None) -> RowError:
    """Add the place to a row's error: file, row number (from 1) if known, and id if there is one."""
    parts = [f"row {number}"] if number is not None else []
    if row.get("id") is not None:
        parts.append(f"(id {row['id']})")
    return error.at(f"{file}, {' '.join(parts)}" if parts else file)


def read_examples(path: str | Path) -> list[AltTrainExample]:
    """Read a JSONL file of examples.

    Raises:
        RowError: A row is not valid; the message names file, row, id and field.
    """
    examples = []
    for number, row in read_jsonl(path):
        try:
            examples.append(example_from_row(row))
        except RowError as error:
            raise row_error(error, row, str(path), number) from None
    return examples


def _from_messages(row: Mapping[str, Any]) -> dict[str, Any]:
    messages = row["messages"]
    if not isinstance(messages, Sequence) or isinstance(messages, str) or len(messages) < 2:
        raise RowError("messages", described(messages), "list at least a user turn and the assistant's answer")
    last = messages[-1]
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        raise RowError("messages", f"ends with {shown(last)}", "end it with a turn of role 'assistant'")
    content = last.get("content")
    for key in _REASONING_KEYS:
        if last.get(key) is not None:
            if isinstance(content, str) and (THINK_OPEN in content or THINK_CLOSE in content):
                problem = f"gives the last turn's thought twice: in think tags and as '{key}'"
                raise RowError("messages", problem, "remove one of the two")
            field, reasoning, answer = "messages", last[key], content
            break
    else:
        field = "messages"
        reasoning, answer = _split_tags(field, content)
    history = messages[:-1]
    alone = len(history) == 1 and isinstance(history[0], Mapping) and history[0].get("role") == "user"
    instruction = history[0].get("content") if alone and isinstance(history[0].get("content"), str) else history
    return _from_reasoning(field, reasoning, row) | {"instruction": instruction, "answer": answer}


def _split_tags(field: str, text: Any) -> tuple[str, str]:
    """Split a text at its think tags; the opening tag may be missing, as in SafeChain."""
    if not isinstance(text, str):
        raise RowError(field, _of_turn(field, described(text)), "write <think>, the thought, </think> and the answer")
    opens, closes = text.count(THINK_OPEN), text.count(THINK_CLOSE)
    before, _, answer = text.partition(THINK_CLOSE)
    if (closes, opens) == (1, 1) and not before.lstrip().startswith(THINK_OPEN):
        raise RowError(field, _of_turn(field, f"has text before <think> ({shown(text)})"), "remove that text")
    if closes != 1 or opens > 1:
        raise RowError(
            field,
            _of_turn(field, f"has {opens} <think> and {closes} </think> ({shown(text)})"),
            "write one thought before the answer and close it with one </think>",
        )
    return before.lstrip().removeprefix(THINK_OPEN), answer


def _from_reasoning(field: str, reasoning: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(reasoning, str):
        raise RowError(
            field, _of_turn(field, f"has no text as its thought, but {shown(reasoning)}"), "write the thought"
        )
    steps = split_steps(reasoning)
    if not all(steps):
        lines = [line for line in reasoning.splitlines() if line.strip()]
        steps = split_steps("\n\n".join([*lines[:2], "\n".join(lines[2:])]))
    if not all(steps):
        raise RowError(
            field,
            _of_turn(field, f"has a thought of {sum(map(bool, steps))} of 3 blocks ({shown(reasoning)})"),
            "write three blocks separated by blank lines: understanding, assessment, conditional reasoning",
        )
    label = row.get("label")
    if label is None:
        label = read_verdict(steps[1])
        if label not in LABELS:
            problem = f"is missing, and the assessment states no clear verdict ({shown(steps[1])})"
            raise RowError("label", problem, "set it to 'harmful' or 'benign'")
    return dict(zip(STEPS, steps, strict=True)) | {"label": label}


def _of_turn(field: str, problem: str) -> str:
    """Attribute the problem to the last turn if the field is a conversation."""
    if field != "messages":
        return problem
    return (
        f"has a last turn whose content {problem}" if problem.startswith("is ") else f"has a last turn that {problem}"
    )
