"""``results.md``, and the parts that it shares with the model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.tables import Table, as_markdown, escaped
from axolotl_alttrain.eval.report.tables.summary_tables import (
    attacks_table,
    detectable,
    lengths_table,
    missing_table,
    rates_table,
    repeats_table,
    sets_table,
)
from axolotl_alttrain.eval.results.summary import Summary


def results(summary: Summary) -> str:
    """``results.md``: what was run, rates with intervals, paired differences, sets, attacks, what is missing."""
    tables = (rates_table, sets_table, attacks_table, repeats_table, lengths_table, missing_table)
    opening = f"# Results\n\n{headline(summary)}\n\n{settings(summary)}\n"
    return "\n".join([opening, *sections([table(summary) for table in tables]), notes(summary)])


def sections(tables: Sequence[Table | None], level: int = 2) -> list[str]:
    """Each table that there is, under its title as a heading."""
    return [f"{'#' * level} {table.title}\n\n{as_markdown(table)}" for table in tables if table]


def settings(summary: Summary) -> str:
    """One paragraph: model, adapter, decoding, judges, versions."""
    how = summary.settings
    sampled = f"temperature {how.get('temperature')}, top-p {how.get('top_p')}" if how.get("do_sample") else "greedy"
    loaded = "4-bit (NF4)" if how.get("load_in_4bit") else how.get("dtype")
    adapter = f", adapter {escaped(shown_name(summary.adapter))}" if summary.adapter else ""
    packages = ", ".join(f"{name} {version}" for name, version in summary.packages.items())
    refusals = "" if summary.refusals_by == summary.judges[0] else f", {summary.refusals_by} those of refusals"
    return (
        f"Base model {escaped(shown_name(summary.base_name))}{adapter}. "
        f"{sum(summary.sets.values())} prompts, {sampled}, at most {how.get('max_new_tokens')} new tokens"
        f"{f', weights {loaded}' if loaded else ''}. "
        f"{''.join(f'{escaped(note)} ' for note in summary.template_notes)}"
        f"Judges: {', '.join(summary.judges)}; the first makes the rates{refusals}. "
        f"axolotl-alttrain {summary.version}{f' with {packages}' if packages else ''}; "
        f"finished {summary.finished}."
    )


def notes(summary: Summary) -> str:
    """How to read the numbers."""
    text = (
        "Brackets: 95 % Wilson intervals; for differences and for sets scored by degree, 95 % bootstrap intervals over "
        "prompts. The answer is judged without its thought. A truncated thought has no answer and counts as "
        "truncated.\n"
    )
    power = detectable(summary)
    return f"{text}{power}\n" if power else text


def shown_name(name: str) -> str:
    """A model's name for readers: of a folder, only the last part of its path."""
    return PurePath(name).name if PurePath(name).is_absolute() else name
