"""``results.md``, and the parts that it shares with the model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.measured import measured_beside
from axolotl_alttrain.eval.report.tables import Table, as_markdown, escaped
from axolotl_alttrain.eval.report.tables.mode_tables import budget_table, mode_tables
from axolotl_alttrain.eval.report.tables.summary_tables import (
    attacks_table,
    detectable,
    lengths_table,
    missing_table,
    paper_table,
    rates_table,
    repeats_table,
    separation_table,
    sets_table,
    thoughts_table,
)
from axolotl_alttrain.eval.results.summary import Summary


def results(summary: Summary) -> str:
    """``results.md``: what was run, rates with intervals, paired differences, sets, attacks, what is missing."""
    tables: list[Table | None] = [
        rates_table(summary),
        paper_table(summary),
        *mode_tables(summary),
        budget_table(summary),
    ]
    which = (
        *(sets_table, separation_table, thoughts_table),
        *(attacks_table, repeats_table, lengths_table, missing_table),
    )
    tables += [of(summary) for of in which]
    opening = f"# Results\n\n{headline(summary)}\n\n{settings(summary)}\n"
    return "\n".join([opening, *sections(tables), notes(summary)])


def sections(tables: Sequence[Table | None], level: int = 2) -> list[str]:
    """Each table that there is, under its title as a heading."""
    return [f"{'#' * level} {table.title}\n\n{as_markdown(table)}" for table in tables if table]


def settings(summary: Summary) -> str:
    """One paragraph: model, adapter, decoding, judges, versions, and what was not measured."""
    packages = ", ".join(f"{name} {version}" for name, version in summary.packages.items())
    refusals = "" if summary.refusals_by == summary.judges[0] else f", {summary.refusals_by} those of refusals"
    return (
        f"{escaped(names(summary))}. "
        f"{sum(summary.sets.values())} prompts, {decoding(summary)}"
        f"{f', weights in {loaded}' if (loaded := type_of_weights(summary)) else ''}. "
        f"{''.join(f'{escaped(note)} ' for note in summary.template_notes)}"
        f"{f'{escaped(summary.protocol)} ' if summary.protocol else ''}"
        f"Judges: {', '.join(summary.judges)}; the first determines the rates{refusals}. "
        f"axolotl-alttrain {summary.version}{f' with {packages}' if packages else ''}; "
        f"finished {summary.finished}."
        f"{f' {beside}' if (beside := measured_beside(summary)) else ''}"
    )


def type_of_weights(summary: Summary) -> str:
    """The type in which the weights were loaded; empty where the words for their form name it, or nothing does."""
    how = summary.settings
    if how.get("load_in_4bit") or how.get("load_in_8bit"):
        return "" if summary.weights else "4 bits (NF4)" if how.get("load_in_4bit") else "8 bits"
    return "the model's own type" if how.get("dtype") == "auto" else str(how.get("dtype") or "")


def decoding(summary: Summary) -> str:
    """How completions were decoded; transcripts do not say it."""
    how = summary.settings
    if "max_new_tokens" not in how:
        return f"{how['backend']}"
    sampled = f"temperature {how.get('temperature')}, top-p {how.get('top_p')}" if how.get("do_sample") else "greedy"
    return f"{sampled}, at most {how['max_new_tokens']} new tokens"


def names(summary: Summary) -> str:
    """The base model, and the adapter or the whole model that was run beside it."""
    if summary.weights_folder == summary.model:
        return f"Model {shown_name(summary.model)}"
    adapter = f", adapter {shown_name(summary.adapter)}" if summary.adapter else ""
    folder = f", tuned model {shown_name(summary.weights_folder)}" if summary.weights_folder else ""
    return f"Base model {shown_name(summary.base_name)}{adapter}{folder}"


def notes(summary: Summary) -> str:
    """How to read the numbers."""
    whole = ", ".join(summary.judges_of_completions)
    judged = f"By {whole}, the completion is judged with its thought, even if that was not closed. " if whole else ""
    text = (
        "Brackets: 95 % Wilson intervals; for differences and for sets scored by degree, 95 % bootstrap intervals over "
        f"prompts. {judged}{'Otherwise, the' if whole else 'The'} answer is judged without its thought. A completion "
        "whose thought was not closed has no answer and counts neither as harmful nor as a refusal.\n"
    )
    power = detectable(summary)
    return f"{text}{power}\n" if power else text


def shown_name(name: str) -> str:
    """A model's name for readers: of a folder, only the last part of its path."""
    return PurePath(name).name if PurePath(name).is_absolute() else name
