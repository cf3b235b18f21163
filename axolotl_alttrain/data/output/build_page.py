"""The page of a build: composition, lengths, what was left out, samples; self-contained, works offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.data.output.dataset_card import read_report
from axolotl_alttrain.format.example import LABELS, STEPS
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page

SAMPLES = 6  # of each label
STEP_LABELS = dict(
    zip(STEPS, ("problem understanding", "harmfulness assessment", "conditional reasoning"), strict=True)
)
_TITLES = {"label": "Labels", "category": "Categories", "language": "Languages", "source": "Sources"}


def write_page(folder: Path) -> Path:
    """Write ``page.html`` beside a build's ``report.json`` and ``data.jsonl``.

    Returns:
        The page's path.

    Raises:
        AltTrainError: The folder holds no report.
    """
    path = folder / "page.html"
    write_atomic(path, page(read_report(folder), samples(folder / "data.jsonl")))
    return path


def samples(path: Path, each: int = SAMPLES) -> list[dict[str, Any]]:
    """The first rows of each label; the file's order is drawn by the seed, so they are a sample."""
    found: dict[str, list[dict[str, Any]]] = {label: [] for label in LABELS}
    for row in _rows(path):
        if len(found[row["label"]]) < each:
            found[row["label"]].append(row)
        if all(len(some) == each for some in found.values()):
            break
    return [row for some in found.values() for row in some]


def page(report: Mapping[str, Any], rows: list[dict[str, Any]]) -> str:
    """The page's text; whatever comes from the data is escaped.

    Args:
        report: In the shape of :mod:`axolotl_alttrain.data.output.build_report`.
        rows: Samples.
    """
    from markupsafe import Markup

    from axolotl_alttrain.data.output.build_plots import bars, lengths

    # Drawn here from counts and names; matplotlib escapes the names.
    composition = [
        (title, Markup(bars(report["counts"][name])), report["counts"][name])
        for name, title in _TITLES.items()
        if report["counts"][name]
    ]
    tokens = report["tokens"]
    return render_page(
        "build_page.html.j2",
        Path(__file__).parent,
        report=report,
        composition=composition,
        rejected=Markup(bars(report["rejected"])) if report["rejected"] else None,
        lengths=Markup(lengths(tokens)) if tokens else None,
        parts={part: spread for part, spread in (tokens or {}).items() if isinstance(spread, Mapping)},
        rows=rows,
        steps=STEP_LABELS,
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
