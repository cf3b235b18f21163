"""The page of a build: composition, lengths, rows left out, samples. It is self-contained and works offline."""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.data.output.build_report import BuildReport, read_report
from axolotl_alttrain.format.example import LABELS, STEPS, AltTrainExample
from axolotl_alttrain.format.rows import example_from_row
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page
from axolotl_alttrain.storage.jsonl import read_jsonl

SAMPLES = 6  # of each label
_TITLES = {"label": "Labels", "category": "Categories", "language": "Languages", "source": "Sources"}


def write_page(folder: Path) -> Path:
    """Write ``page.html`` next to a build's ``report.json`` and ``data.jsonl`` and return its path.

    Raises:
        AltTrainError: The folder contains no report or no rows.
    """
    path = folder / "page.html"
    write_atomic(path, page(read_report(folder), samples(folder / "data.jsonl")))
    return path


def samples(path: Path, each: int = SAMPLES) -> list[AltTrainExample]:
    """The first rows of each label; their order was drawn with the seed, so they are a random sample.

    Raises:
        AltTrainError: The file cannot be read.
    """
    found: dict[str, list[AltTrainExample]] = {label: [] for label in LABELS}
    for _, row in read_jsonl(path):
        example = example_from_row(row)
        if len(found[example.label]) < each:
            found[example.label].append(example)
        if all(len(some) == each for some in found.values()):
            break
    return [example for some in found.values() for example in some]


def page(report: BuildReport, examples: list[AltTrainExample]) -> str:
    """The HTML of the page; text from the data is escaped.

    Args:
        report: The build's report.
        examples: Samples to show.
    """
    from markupsafe import Markup

    from axolotl_alttrain.data.output.build_plots import bars, lengths

    counted = {title: getattr(report.counts, column) for column, title in _TITLES.items()}
    return render_page(
        "build_page.html.j2",
        Path(__file__).parent,
        report=report,
        # These plots are safe as markup: matplotlib escapes the names in them.
        composition=[(title, Markup(bars(counts)), counts) for title, counts in counted.items() if counts],  # nosec B704
        rejected=Markup(bars(report.rejected)) if report.rejected else None,  # nosec B704
        lengths=Markup(lengths(report.tokens.total)) if report.tokens else None,  # nosec B704
        examples=examples,
        steps={step: step.replace("_", " ") for step in STEPS},
    )
