"""Convert rows of data files, in three shapes, to :class:`AltTrainExample`.

1. Columns: ``instruction``, ``label``, ``problem_understanding``, ``harmfulness_assessment``,
   ``conditional_reasoning``, ``answer``.
2. ``instruction`` and ``response``, with the thought inside ``<think>...</think>``, as in the authors'
   ``Yeonjun/R1-Act-train``. As in SafeChain, the opening tag may be missing.
3. ``messages`` that end with the assistant's turn, with ``reasoning_content`` (or ``thinking``) or inline tags.

A row in columns may leave out steps, for ablations: ``omitted`` lists them, e.g. ``["harmfulness_assessment"]``.
In shapes 2 and 3 the thought is split at its blank lines or, if there are too few, at its line breaks. ``label`` may
be left out; it then is the assessment's verdict. A row of any shape may have the columns of
:mod:`~axolotl_alttrain.format.reading.prompt_columns`, and in shapes 1 and 2 ``tool_calls`` of the trained turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from axolotl_alttrain.errors import RowError, described, shown
from axolotl_alttrain.format.example import LABELS, STEPS, AltTrainExample, split_steps
from axolotl_alttrain.format.reading.loss_marks import MARKS, without_marks
from axolotl_alttrain.format.reading.nulls import nested, without_nulls
from axolotl_alttrain.format.reading.prompt_columns import PROMPT_COLUMNS, filled, tools_of, with_prompt_columns
from axolotl_alttrain.format.think_tags import find_tag, of_turn, split_thought, unwrapped
from axolotl_alttrain.format.verdict.reader import read_verdict
from axolotl_alttrain.storage.jsonl import read_jsonl

_LONG_ID = 100  # characters; a longer one is shown in part
_REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
_OPTIONAL = ("id", "category", "source", "language")
_READ = frozenset({*_OPTIONAL, *PROMPT_COLUMNS, "label", "omitted", "assessor", "twin"})
_READ_OF_TURN = frozenset({"role", "content", "tool_calls", *_REASONING_KEYS, *MARKS})
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
    shape = _shape(row)
    if shape == "columns":
        fields = {name: row.get(name) for name in ("instruction", "label", *STEPS, "answer")}
    elif shape == "messages":
        fields = _from_messages(row)
    elif shape == "response":
        reasoning, answer = split_thought("response", row["response"])
        fields = _from_reasoning("response", reasoning, row) | {"instruction": row.get("instruction"), "answer": answer}
    else:
        columns = f"has the columns {', '.join(sorted(row))}" if row else "has no columns"
        raise RowError("", f"{columns}, which is none of the three shapes", f"use {_SHAPES}")
    if not isinstance(fields["instruction"], str):
        fields["instruction"] = _without_marks(without_nulls(fields["instruction"]))
    field = "messages" if shape == "messages" else "instruction"
    fields["instruction"] = with_prompt_columns(field, fields["instruction"], row)
    if tools := tools_of(row):
        fields["tools"] = tools
    if shape != "messages" and filled(row, "tool_calls"):
        fields["tool_calls"] = nested("tool_calls", row["tool_calls"])
    for name in _OPTIONAL:
        value = row.get(name)
        fields[name] = str(value) if name == "id" and isinstance(value, int) else value
    if row.get("omitted"):
        omitted = row["omitted"]
        fields["omitted"] = nested("omitted", omitted) if str(omitted).startswith("[") else omitted
    return AltTrainExample(**cast(Any, fields))


def unread_fields(row: Mapping[str, Any]) -> Iterator[str]:
    """Columns of a row that are neither trained nor part of the prompt, and such fields of its last turn."""
    shape = _shape(row)
    own = {
        "columns": {"instruction", "answer", "tool_calls", *STEPS},
        "messages": {"messages"},
        "response": {"instruction", "response", "tool_calls"},
    }.get(shape or "", set())
    for name in row:
        if name not in _READ and name not in own and filled(row, name):
            yield name
    if shape == "messages" and isinstance(row["messages"], list | tuple) and row["messages"]:
        last = row["messages"][-1]
        for name in last if isinstance(last, Mapping) else ():
            if name not in _READ_OF_TURN and filled(last, name):
                yield f"messages.assistant.{name}"


def _shape(row: Mapping[str, Any]) -> str | None:
    without_steps = row.get("omitted") and row.get("answer") is not None
    if without_steps or any(row.get(name) is not None for name in STEPS):
        return "columns"
    return next((name for name in ("messages", "response") if row.get(name) is not None), None)


def row_error(error: RowError, row: Mapping[str, Any], file: str, number: int | None = None) -> RowError:
    """Add the place to a row's error: file, row number (from 1) if known, and id if there is one."""
    parts = [f"row {number}"] if number is not None else []
    if row.get("id") is not None:
        name = str(row["id"])
        parts.append(f"(id {name if name.isprintable() and len(name) <= _LONG_ID else shown(row['id'])})")
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
    messages = nested("messages", row["messages"])
    if not isinstance(messages, Sequence) or len(messages) < 2:
        raise RowError("messages", described(messages), "list at least a user turn and the assistant's answer")
    last = messages[-1]
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        raise RowError("messages", f"ends with {shown(last)}", "end it with a turn of role 'assistant'")
    if filled(last, "function_call"):
        raise RowError("messages", "has a last turn with 'function_call'", "write it as 'tool_calls'")
    reasoning, answer = _last_thought(last)
    history = messages[:-1]
    text = _only_text(history[0]) if len(history) == 1 else None
    instruction = history if text is None else text
    fields = _from_reasoning("messages", reasoning, row) | {"instruction": instruction, "answer": answer}
    if filled(last, "tool_calls"):
        fields["tool_calls"] = nested("tool_calls", last["tool_calls"])
    return fields


def _only_text(turn: Any) -> str | None:
    """The text of a user turn that has nothing else."""
    if not isinstance(turn, Mapping):
        return None
    content = turn.get("content")
    others = [name for name in without_marks(turn) if name not in ("role", "content") and filled(turn, name)]
    return content if turn.get("role") == "user" and isinstance(content, str) and not others else None


def _last_thought(last: Mapping[str, Any]) -> tuple[Any, Any]:
    """Thought and answer of the last turn."""
    content, parts = _joined_parts(last.get("content"))
    given = {key: last[key] for key in _REASONING_KEYS if filled(last, key)} | parts
    if not given:
        return split_thought("messages", content)
    if isinstance(content, str) and find_tag(content):
        problem = f"gives the last turn's thought twice: in think tags and as '{next(iter(given))}'"
        raise RowError("messages", problem, "remove one of the two")
    first, *others = given.values()
    if any(other != first for other in others):
        problem = f"gives the last turn's thought twice: as {' and as '.join(map(repr, given))}"
        raise RowError("messages", problem, "remove one of the two")
    return (unwrapped(first) if isinstance(first, str) else first), content


def _joined_parts(content: Any) -> tuple[Any, dict[str, Any]]:
    """A content of text parts as one text, joined as Axolotl does, and the thought of its ``thinking`` parts."""
    if not isinstance(content, list):
        return content, {}
    texts: dict[str, list[str]] = {"text": [], "thinking": []}
    for part in content:
        kind = str(part.get("type", "text")) if isinstance(part, Mapping) else ""
        text = part.get(kind) if kind in texts else None
        if not isinstance(text, str):
            raise RowError("messages", f"has a last turn with the part {shown(part)}", "use text parts")
        texts[kind].append(text)
    thought = "".join(texts["thinking"])
    return "".join(texts["text"]), {"thinking parts": thought} if thought else {}


def _without_marks(messages: Any) -> Any:
    if not isinstance(messages, list):
        return messages
    return [without_marks(message) if isinstance(message, Mapping) else message for message in messages]


def _from_reasoning(field: str, reasoning: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(reasoning, str):
        raise RowError(
            field, of_turn(field, f"has no text as its thought, but {shown(reasoning)}"), "write the thought"
        )
    steps = split_steps(reasoning)
    if not all(steps):
        lines = [line for line in reasoning.splitlines() if line.strip()]
        steps = split_steps("\n\n".join([*lines[:2], "\n".join(lines[2:])]))
    if not all(steps):
        raise RowError(
            field,
            of_turn(field, f"has a thought of {sum(map(bool, steps))} of 3 blocks ({shown(reasoning)})"),
            "write three blocks separated by blank lines: understanding, assessment, conditional reasoning",
        )
    label = row.get("label")
    if label is None:
        label = read_verdict(steps[1])
        if label not in LABELS:
            problem = f"is missing, and the assessment states no clear verdict ({shown(steps[1])})"
            raise RowError("label", problem, "set it to 'harmful' or 'benign'")
    return dict(zip(STEPS, steps, strict=True)) | {"label": label}
