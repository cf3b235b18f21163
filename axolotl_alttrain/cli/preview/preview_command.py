"""``axolotl alttrain preview``: show what a recipe trains, before any GPU time is spent."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from axolotl_alttrain.cli.json_output import console_beside, write_json
from axolotl_alttrain.cli.preview.preview_rows import PreviewRow, check_left, read_rows
from axolotl_alttrain.cli.preview.terminal_view import row_title, show, summary_lines, with_marked_breaks
from axolotl_alttrain.cli.preview.token_statistics import PreviewSummary, summarize
from axolotl_alttrain.cli.recipe import load_recipe
from axolotl_alttrain.format.row_reader import UnreadCount
from axolotl_alttrain.format.segments import LABELS_OF_SEGMENTS
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page


def run_preview(
    config: Path,
    shown: int = 3,
    html: Path | None = None,
    json_file: Path | None = None,
    console: Console | None = None,
    gpus: int | None = None,
) -> PreviewSummary:
    """Print the preview of a recipe and write it to the given files.

    Args:
        config: An Axolotl config.
        shown: Number of rows to show in full, of both labels in turn.
        html: Output file for the page.
        json_file: Output file for the numbers; ``-`` prints them and nothing else.
        console: Where to print.
        gpus: Number of GPUs; by default as many as the recipe needs.

    Returns:
        The statistics of the whole dataset.

    Raises:
        AltTrainError: The config, the data or the template is unusable, or the config leaves less than half of the rows
            to train; the message says why.
    """
    console = console or console_beside(json_file)
    recipe = load_recipe(config)
    total = sum(len(source.rows) for source in recipe.sources)
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Tokenizing", total=total)
        unread = UnreadCount()
        rows = list(read_rows(recipe, lambda done: progress.advance(task, done), unread))
    check_left(recipe, rows)
    summary = summarize(recipe, rows, unread, gpus)
    chosen = choose(rows, shown)
    notes = [note for source in recipe.sources if source.renderer for note in source.renderer.notes]
    verdict = " ".join([describe(recipe.sources[0].chat), *dict.fromkeys(notes)])
    show(console, chosen, summary, verdict)
    if html is not None:
        write_atomic(html, page(config.name, chosen, summary, verdict))
        console.print(f"Written: {html}")
    write_json(json_file, {"config": str(config), **asdict(summary)}, console)
    return summary


def choose(rows: list[PreviewRow], number: int) -> list[PreviewRow]:
    """The first rows of each label in turn, and one overlong row if there is any."""
    groups: dict[str, list[PreviewRow]] = {}
    for row in rows:
        groups.setdefault(row.example.label, []).append(row)
    turns = [group[turn] for turn in range(number) for group in groups.values() if turn < len(group)]
    chosen = turns[:number]
    too_long = next((row for row in rows if row.dropped), None)
    if number and too_long and not any(row.dropped for row in chosen):
        chosen.append(too_long)
    return chosen


def describe(chat: ChatFormat) -> str:
    """One sentence on how thoughts open and close."""
    thought = chat.thought
    if thought.open:
        opened = f"opened by the model with {thought.open!r}"
    else:
        opened = f"opened by the prompt with {thought.prompt_open!r}"
    text = f"Thought: {opened}, closed with {thought.close!r}; the turn ends with {thought.end!r}."
    return " ".join([text, *chat.notes])


def page(title: str, rows: list[PreviewRow], summary: PreviewSummary, verdict: str) -> str:
    """The preview as one self-contained HTML page."""
    return render_page(
        "preview.html.j2",
        Path(__file__).parent,
        title=title,
        rows=rows,
        row_title=row_title,
        marked=with_marked_breaks,
        labels=LABELS_OF_SEGMENTS,
        summary=summary,
        lines=summary_lines(summary, verdict),
    )
