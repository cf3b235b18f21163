"""Prompts of published sets, from the Hub at a pinned commit or from the publishers' files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from axolotl_alttrain.eval.prompts.hub_files import hub_rows
from axolotl_alttrain.eval.prompts.local_files import files_digest, local_files
from axolotl_alttrain.eval.prompts.probes import PROBE_SETS, load_set
from axolotl_alttrain.eval.prompts.prompt import Kind, Prompt, spread
from axolotl_alttrain.eval.prompts.sets import SetSpec, specs

from axolotl_alttrain.errors import AltTrainError, RowError, described
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.row_files import check_commas, read_rows


def load_available(
    names: Iterable[str],
    limit: int | None = None,
    data_dir: Path | None = None,
    revisions: Mapping[str, str] | None = None,
    allow_code: bool = False,
) -> tuple[list[Prompt], dict[str, str]]:
    """The prompts of all available sets, and why the others are unavailable.

    Args:
        names: Sets, including embedded ones.
        limit: Maximum number of prompts per set, spread evenly.
        data_dir: Folder with the publishers' files; sets without a file there come from the Hub.
        revisions: Commits by set, instead of the pinned ones.
        allow_code: Whether to load sets whose scoring executes the model's code.

    Returns:
        The prompts, and the reason for each unavailable set.
    """
    prompts: list[Prompt] = []
    missing: dict[str, str] = {}
    for name in names:
        try:
            if name in PROBE_SETS:
                prompts += load_set(name, limit)
            else:
                prompts += load_published(specs()[name], limit, data_dir, (revisions or {}).get(name), allow_code)
        except AltTrainError as error:  # also for an invalid row: it is reported, and the other sets are loaded
            missing[name] = str(error)
    return prompts, missing


def load_published(
    spec: SetSpec, limit: int | None, data_dir: Path | None, revision: str | None = None, allow_code: bool = False
) -> list[Prompt]:
    """The prompts of one published set.

    Raises:
        AltTrainError: The set is unavailable.
        RowError: A row is not a valid prompt.
    """
    if spec.runs_code and not allow_code:
        raise AltTrainError(f"{spec.name} is scored by running the model's code; allow it with --allow-code-execution")
    files = local_files(spec, data_dir)
    for path in files:
        check_commas(path)
    if spec.task:
        from axolotl_alttrain.eval.prompts.capability import task_prompts  # lm-eval takes seconds to import

        return task_prompts(spec, limit, files, revision)
    if files:
        rows = [(f"{path}", number, row) for path in files for number, row in read_rows(path)]
        digest = files_digest(files)
    else:
        found, digest = hub_rows(spec, revision)
        rows = [(spec.hub.id, number, row) for number, row in enumerate(found, 1)]
    # A mirror on the Hub may lack the column by which its rows were selected.
    kept = [
        (f, n, row) for f, n, row in rows if all(row.get(k, None if files else v) == v for k, v in spec.where.items())
    ]
    if not kept:
        wanted = "".join(f" with {key} {value!r}" for key, value in spec.where.items())
        columns = f" with the columns {', '.join(map(str, rows[0][2]))}" if rows else ""
        place = files[0] if files else spec.hub.id
        raise AltTrainError(
            f"{spec.name}: {place} has no row{wanted} among its {len(rows)}{columns}; use the file of {spec.source}"
        )
    made = [_prompt(spec, row, place, number, digest, index) for index, (place, number, row) in enumerate(kept)]
    return spread(_with_unique_ids(made), limit)


def _with_unique_ids(prompts: Iterable[Prompt]) -> list[Prompt]:
    """Append ``#2``, ``#3`` to repeated IDs, because answers are judged and paired by ID."""
    seen: dict[str, int] = {}
    made = []
    for prompt in prompts:
        seen[prompt.id] = time = seen.get(prompt.id, 0) + 1
        name = prompt.id if time == 1 else f"{prompt.id}#{time}"
        source = name if prompt.source_id == prompt.id else prompt.source_id
        made.append(replace(prompt, id=name, source_id=source))
    return made


def _prompt(spec: SetSpec, row: Mapping[str, Any], file: str, number: int, revision: str, index: int) -> Prompt:
    def column(ours: str) -> Any:
        names = spec.columns.get(ours, ())
        return next((row[name] for name in ([names] if isinstance(names, str) else names) if name in row), None)

    try:
        turns = column("turns")
        if "turns" in spec.columns:
            if not isinstance(turns, Sequence) or isinstance(turns, str) or not turns or not all(turns):
                raise RowError(str(spec.columns["turns"]), described(turns), "list the user turns")
            texts = [str(turn) for turn in turns]
        else:
            text = column("instruction")
            if not isinstance(text, str) or not text.strip():
                names = spec.columns["instruction"]
                name = names if isinstance(names, str) else " or ".join(names)
                raise RowError(name, described(text), "write a string")
            texts = [text]
    except RowError as error:
        raise row_error(error, row, file, number) from None
    given = column("id")
    name = f"{index:05d}" if given in (None, "") else str(given)
    return Prompt(
        set=spec.name,
        kind=cast(Kind, spec.kind),
        id=name,
        instruction=texts[-1],
        category=str(column("category") or ""),
        source_id=name if (source := column("source")) in (None, "") else f"{source}",
        messages=tuple({"role": "user", "content": text} for text in texts) if len(texts) > 1 else (),
        judges=spec.judges,
        revision=revision,
        translations=tuple((lang, str(row[lang])) for lang in spec.translations if row.get(lang)),
    )
