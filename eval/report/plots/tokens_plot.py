"""How long thoughts and answers are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

import numpy as np
from axolotl_alttrain.eval.report.plots.svg import Plot, colour, drawing, to_svg
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from numpy.typing import NDArray

_BINS = 28
_PARTS: tuple[Literal["thought", "answer"], ...] = ("thought", "answer")


def tokens(summary: Summary, rows: Sequence[ScoredRow]) -> Plot | None:
    """Histograms of thought and answer tokens, a row per kind of prompt, all runs in each; None without samples.

    Args:
        summary: For the runs and the unit of length.
        rows: Of all runs.
    """
    runs, kinds = list(summary.runs), list(dict.fromkeys(row.kind for row in rows))
    if not kinds:
        return None
    unit = summary.lengths_in
    words = []
    with drawing(8.4, 1.75 * len(kinds) + 0.7) as figure:
        panels = figure.subplots(len(kinds), 2, squeeze=False, sharex="col")
        for column, part in enumerate(_PARTS):
            edges = _edges([_length(row, part) for row in rows])
            for axes, kind in zip(panels[:, column], kinds, strict=True):
                for run in runs:
                    lengths = [_length(row, part) for row in rows if (row.run, row.kind) == (run, kind)]
                    if not lengths:
                        continue
                    counts, _ = np.histogram(lengths, edges)
                    shares = 100 * counts / len(lengths)
                    axes.stairs(shares, edges, fill=True, color=colour(run), alpha=0.3)
                    axes.stairs(shares, edges, color=colour(run), linewidth=1.3, label=run)
                    words.append(
                        f"{kind}, {part}, {run}: median {median(lengths):.0f}, from {min(lengths)} to {max(lengths)}"
                    )
                axes.set_title(f"{kind}: {part}", fontsize=9.5, loc="left")
                axes.set_ylim(0, None)
                axes.spines[["top", "right"]].set_visible(False)
            panels[-1][column].set_xlabel(unit)
        for row_of in panels:
            row_of[0].set_ylabel("percent")
        if len(runs) > 1:
            handles, labels = panels[0][0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper center", ncols=len(runs), frameon=False)
        svg = to_svg(figure)
    limit = sum(row.finish == "length" for row in rows)
    cut = sum(bool(row.truncated) for row in rows)
    caption = (
        f"Share of samples by length in {unit}. {limit} of {len(rows)} samples reached the limit of "
        f"new tokens; {cut} thoughts were truncated."
    )
    return Plot(svg, f"Histograms of lengths in {unit}. {'; '.join(words)}.", caption)


def _length(row: ScoredRow, part: Literal["thought", "answer"]) -> int:
    return row.thought_tokens if part == "thought" else row.answer_tokens


def _edges(values: Sequence[int]) -> NDArray[np.int_]:
    """Edges of equal bins of integer width that hold every value; the first holds zero, an absent thought or answer."""
    width = max(1, -(-(max(values) + 1) // _BINS))
    return np.arange(0, max(values) + 1 + width, width)
