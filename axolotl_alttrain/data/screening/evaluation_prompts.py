"""The evaluation prompts that training queries are held against: the probes that come along, publishers' files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.eval.prompts.probes import probe_files
from axolotl_alttrain.storage.jsonl import read_jsonl

# First match wins; the name that holds the request itself, as the publishers write it:
#   StrongREJECT (strongreject_dataset.csv): category, source, forbidden_prompt
#   XSTest (xstest_prompts.csv): id, prompt, type, label, focus, note
#   JailbreakBench (JBB-Behaviors): Index, Goal, Target, Behavior, Category, Source; "Behavior" is only a name there
#   HarmBench (harmbench_behaviors_text_all.csv): Behavior, FunctionalCategory, SemanticCategory, Tags,
#     ContextString, BehaviorID
#   WildJailbreak: vanilla, adversarial, completion, data_type
PROMPT_COLUMNS = (
    "forbidden_prompt",
    "prompt",
    "instruction",
    "question",
    "query",
    "goal",
    "adversarial",
    "vanilla",
    "problem",
    "behavior",
    "text",
    "messages",
    "turns",
)
ID_COLUMNS = ("id", "id_v2", "behaviorid", "index", "key", "unique_id")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")


def evaluation_prompts(data_dir: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """Set, id and text of each embedded probe, then of each prompt in a folder of publishers' files.

    Args:
        data_dir: Folder whose CSV, TSV, JSON and JSONL files are read, its subfolders too; each file is a set.

    Raises:
        AltTrainError: The folder holds no such file, or a file has no column with prompts.
    """
    for probe in probe_files():
        yield from prompts_of(probe)
    if data_dir is None:
        return
    found = sorted(file for file in data_dir.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise AltTrainError(f"{data_dir} has no file of the types {', '.join(SUFFIXES)}; put evaluation sets there")
    for file in found:
        yield from prompts_of(file)


def prompts_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """The prompts of one file: set (the file's name without its ending), id, text.

    Every prompt column is read, not only the first: WildJailbreak has two. Rows without an id are numbered from 1.

    Raises:
        AltTrainError: The file cannot be read or has no column with prompts.
    """
    columns: list[str] | None = None
    for number, row in enumerate(_rows(path), 1):
        lower = {str(name).strip().lower(): value for name, value in row.items() if name is not None}
        if columns is None:
            columns = _prompt_columns(path, list(lower))
        name = next((str(lower[column]) for column in ID_COLUMNS if lower.get(column) not in (None, "")), str(number))
        for column in columns:
            if text := _text(lower.get(column)):
                yield path.stem, name, text


def _prompt_columns(path: Path, names: Sequence[str]) -> list[str]:
    found = [column for column in PROMPT_COLUMNS if column in names]
    if not found:
        raise AltTrainError(
            f"{path} has no column of prompts: found {', '.join(names) or 'none'}; allowed: {', '.join(PROMPT_COLUMNS)}"
        )
    if {"vanilla", "adversarial"} <= set(found):
        return ["adversarial", "vanilla"]
    return found[:1]


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    kind = path.suffix.lower()
    if kind == ".jsonl":
        yield from (row for _, row in read_jsonl(path))
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if kind == ".json":
                yield from _json_rows(path, json.load(file))
            else:
                yield from csv.DictReader(file, dialect="excel-tab" if kind == ".tsv" else "excel")
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise AltTrainError(
            f"{path} cannot be read as {kind[1:].upper()} ({error}); correct or remove the file"
        ) from None


def _json_rows(path: Path, value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):  # {"behaviors": [...]}: the one list inside
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        value = lists[0] if len(lists) == 1 else value
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise AltTrainError(f"{path} is not a list of objects; write a JSON list with one object per prompt")
    return value


def _text(value: Any) -> str:
    """A prompt's text: itself, or the user turns of a conversation."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, Sequence):
        return ""
    turns = [turn.get("content") for turn in value if isinstance(turn, Mapping) and turn.get("role") == "user"]
    return " ".join(text for text in turns or value if isinstance(text, str)).strip()
