"""The evaluation prompts that training queries must not resemble: the embedded probes and publishers' files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.eval.prompts.probes import probe_files
from axolotl_alttrain.storage.row_files import read_rows

EvaluationPrompt = tuple[str, str, str]
"""Set, ID and text."""

# The columns that hold the request, as the publishers name them; the first match wins:
#   StrongREJECT (strongreject_dataset.csv): category, source, forbidden_prompt
#   XSTest (xstest_prompts.csv): id, prompt, type, label, focus, note
#   JailbreakBench (JBB-Behaviors): Index, Goal, Target, Behavior, Category, Source; there "Behavior" is only a name
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


def prompts_to_avoid(config: BuildConfig) -> Iterator[EvaluationPrompt]:
    """The evaluation prompts that a config compares queries with: ``evaluation_sets``, or all.

    Raises:
        AltTrainError: A file cannot be read, or a named set does not exist.
    """
    wanted, seen = set(config.evaluation_sets), set()
    for prompt in evaluation_prompts(Path(config.evaluation_dir) if config.evaluation_dir else None):
        seen.add(prompt[0])
        if not wanted or prompt[0] in wanted:
            yield prompt
    if missing := sorted(wanted - seen):
        raise AltTrainError(
            f"evaluation_sets: found {', '.join(missing)}; allowed: {', '.join(sorted(seen))}; put the files "
            "of other sets into 'evaluation_dir'"
        )


def evaluation_prompts(data_dir: Path | None = None) -> Iterator[EvaluationPrompt]:
    """The embedded probes, then the prompts in a folder of publishers' files.

    Args:
        data_dir: Its CSV, TSV, JSON and JSONL files are read, also in subfolders; each file is a set.

    Raises:
        AltTrainError: The folder contains no such file, or a file has no column with prompts.
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


def prompts_of(path: Path) -> Iterator[EvaluationPrompt]:
    """The prompts of one file; the set is the file's name without its extension.

    WildJailbreak has two columns with prompts; both are read. Rows without an ID are numbered from 1.

    Raises:
        AltTrainError: The file cannot be read or has no column with prompts.
    """
    columns: list[str] | None = None
    for number, (_, row) in enumerate(read_rows(path), 1):
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


def _text(value: Any) -> str:
    """The text of a prompt; of a conversation, its user turns."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, Sequence):
        return ""
    turns = [turn.get("content") for turn in value if isinstance(turn, Mapping) and turn.get("role") == "user"]
    return " ".join(text for text in turns or value if isinstance(text, str)).strip()
