"""The preview in the terminal: coloured rows, then tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from axolotl_alttrain.cli.preview.preview_rows import PreviewRow
from axolotl_alttrain.cli.preview.token_statistics import PreviewSummary
from axolotl_alttrain.format.row_reader import UnreadCount
from axolotl_alttrain.format.segments import LABELS_OF_SEGMENTS

STYLES = {
    "prompt": "dim",
    "thought_opening": "bold bright_black",
    "problem_understanding": "bright_blue",
    "harmfulness_assessment": "yellow",
    "conditional_reasoning": "magenta",
    "thought": "magenta",
    "thought_closing": "bold bright_black",
    "answer_opening": "bold bright_black",
    "answer": "green",
    "tool_calls": "bright_green",
    "end_of_turn": "bold cyan",
}


def show(console: Console, rows: Sequence[PreviewRow], summary: PreviewSummary, verdict: str) -> None:
    """Print the chosen rows and the summary."""
    for row in rows:
        console.print(row_view(row, summary.sequence_len))
    for part in summary_view(summary, verdict):
        console.print(part)


def row_title(row: PreviewRow) -> str:
    """One line: which row, its label, its length."""
    known = [row.example.label, row.example.category, row.example.language]
    return " · ".join([f"row {row.number}", *filter(None, [row.example.id, *known]), f"{row.tokens} tokens"])


def row_view(row: PreviewRow, sequence_len: int) -> RenderableType:
    """One row, with a line per segment: name, tokens, whether it carries loss, and text with marked line breaks."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("segment", no_wrap=True)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("loss", no_wrap=True)
    table.add_column("text", overflow="fold")
    for segment in row.segments:
        style = STYLES[segment.name]
        text = Text(with_marked_breaks(segment.text), style=style)
        loss = Text("yes" if segment.trained else "no", style=style)
        table.add_row(Text(LABELS_OF_SEGMENTS[segment.name], style=style), str(len(segment.ids)), loss, text)
    parts: list[RenderableType] = [Rule(row_title(row), align="left"), table]
    if row.dropped:
        parts.append(Text(f"longer than sequence_len {sequence_len}", style="bold red"))
    return Group(*parts)


def with_marked_breaks(text: str) -> str:
    """The text with a visible mark at each line break."""
    return text.replace("\n", "↵\n").removesuffix("\n")


def summary_view(summary: PreviewSummary, verdict: str) -> list[RenderableType]:
    """The tables over the whole dataset, and the lines below them."""
    rows = Table(title="whole dataset", title_justify="left", show_header=False)
    rows.add_column(no_wrap=True)
    rows.add_column()
    for title, counts in (("label", summary.by_label), ("language", summary.by_language)):
        rows.add_row(title, _joined(counts, summary.rows), end_section=True)
    for label, categories in summary.by_category.items():
        rows.add_row(f"{label}, by category", _joined(categories), end_section=True)
    tokens = Table("tokens", "loss")
    for name in ("p5", "median", "p95", "longest", "share"):
        tokens.add_column(name, justify="right")
    for name, spread in summary.tokens.items():
        cells = [f"{number:.0f}" for number in (spread.p5, spread.p50, spread.p95, spread.max)]
        loss = "" if name == "row" else "no" if name == "prompt" else "yes"
        label = LABELS_OF_SEGMENTS.get(name, "whole row")
        if name == "row":
            tokens.add_section()
        tokens.add_row(label, loss, *cells, f"{100 * spread.share:.1f} %", style=STYLES.get(name))
    return [rows, tokens, *[Text(line) for line in summary_lines(summary, verdict)]]


def summary_lines(summary: PreviewSummary, verdict: str) -> list[str]:
    """What the tables do not show, one sentence each."""
    training, limit = summary.training, summary.sequence_len
    lines = [verdict, f"Trained: {100 * summary.trained_share:.1f} % of all tokens; the prompts carry no loss."]
    if len(summary.kinds) > 1:
        shares = [f"{kind} {100 * share.trained:.1f} % in {share.rows} rows" for kind, share in summary.kinds.items()]
        lines.append(f"Of the trained tokens: {'; '.join(shares)}.")
    what = {"drop": "will be dropped", "truncate": "will be truncated"}.get(
        summary.excess_length_strategy or "raise",
        "will stop the training; raise the limit or set 'excess_length_strategy: drop'",
    )
    too_long = summary.too_long
    lines.append(
        f"{too_long} of {summary.rows} rows are longer than sequence_len {limit} and {what}."
        if too_long
        else f"All {summary.rows} rows fit into sequence_len {limit}."
    )
    held = f", {training.held_out} held out" if training.held_out else ""
    lines.append(
        f"Steps: {'' if training.exact else 'about '}{training.steps} on {_gpus(training.gpus)} "
        f"({training.rows} rows{held}, {training.epochs} epochs, {training.batch_rows} rows per step)."
    )
    lines += UnreadCount(Counter(summary.unread), summary.left_out).sentences()
    if summary.other_datasets:
        lines.append(f"Not counted: datasets of other types ({', '.join(summary.other_datasets)}).")
    return lines


def _gpus(number: int) -> str:
    return "one GPU" if number == 1 else f"{number} GPUs"


def _joined(counts: Mapping[str, int], total: int | None = None) -> str:
    """Names with their counts as one text; no line break inside a pair."""
    shares = [f" ({100 * number / total:.1f} %)" if total else "" for number in counts.values()]
    pairs = [f"{name} {number}{share}" for (name, number), share in zip(counts.items(), shares, strict=True)]
    return ", ".join(pair.replace(" ", "\N{NO-BREAK SPACE}") for pair in pairs)
