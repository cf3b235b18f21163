"""The embedded probe sets, ``probes/*.jsonl``.

Each set has two halves of the same mix. The one under the plain name is reported; the ``-open`` one is for choosing
data, recipes and checkpoints, so that what is reported was not chosen by.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.prompts.prompt import Kind, Prompt, spread

from axolotl_alttrain.errors import RowError, described
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.jsonl import read_jsonl

PROBES = Path(__file__).parent / "probes"
_KINDS: tuple[Kind, ...] = ("harmful", "contrast", "benign", "capability")
PROBE_SETS: dict[str, Kind] = {f"probe-{kind}{half}": kind for half in ("", "-open") for kind in _KINDS}


def probe_files() -> list[Path]:
    """The files of all probe sets, sorted by name."""
    return sorted(PROBES.glob("probe-*.jsonl"))


def load_set(name: str, limit: int | None = None) -> list[Prompt]:
    """The prompts of a probe set; at most ``limit``, spread evenly over the file.

    Raises:
        AltTrainError: A row of the file is not a valid prompt.
    """
    path = PROBES / f"{name}.jsonl"
    prompts = [_prompt(name, row, str(path), number) for number, row in read_jsonl(path)]
    return spread(prompts, limit)


def load_sets(names: Iterable[str], limit: int | None = None) -> list[Prompt]:
    """The prompts of several probe sets, in order."""
    return [prompt for name in names for prompt in load_set(name, limit)]


def _prompt(name: str, row: dict[str, Any], file: str, number: int) -> Prompt:
    kind = PROBE_SETS[name]
    needed = ("id", "instruction", "category") + (("answers", "match") if kind == "capability" else ())
    try:
        for field in needed:
            if not row.get(field):
                raise RowError(field, described(row.get(field)), "give it a value")
        if kind == "capability" and row["match"] not in ("number", "text"):
            raise RowError("match", described(row["match"]), "set it to 'number' or 'text'")
    except RowError as error:
        raise row_error(error, row, file, number) from None
    messages = tuple(row["instruction"]) if isinstance(row["instruction"], list) else ()
    return Prompt(
        set=name,
        kind=kind,
        id=row["id"],
        source_id=row["id"],
        instruction=messages[-1]["content"] if messages else row["instruction"],
        messages=messages,
        answers=tuple(row.get("answers", ())),
        match=row.get("match", "text"),
        category=row["category"],
        scenario=row.get("scenario", ""),
        language=row.get("language", "en"),
    )
