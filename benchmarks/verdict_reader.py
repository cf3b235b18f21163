"""How well verdicts are read in each language: ``tests/format/verdict/gold``, 34 assessments per language.

    python -m benchmarks.verdict_reader          # writes benchmarks/results/verdict_reader.md
    python -m benchmarks.verdict_reader --errors # shows the errors on the open half instead

The rules may be improved on the open half. The held-out half is only for measuring; its errors are never shown.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.format.verdict.reader import read_verdict
from axolotl_alttrain.storage.jsonl import read_jsonl

ROOT = Path(__file__).resolve().parents[1]
GOLD = ROOT / "tests" / "format" / "verdict" / "gold"
RESULTS = ROOT / "benchmarks" / "results" / "verdict_reader.md"
HEAD = """Measured with `python -m benchmarks.verdict_reader`. The gold was frozen before the rules were written, and
they were improved on its open half only. Gold and rules have the same author, so texts of other writers may
be read less well. The last three columns are the errors on the held-out half: the opposite verdict, a verdict
where the text leaves it open, and `undetermined` where the text states one.

"""


@dataclass
class Score:
    """Readings of one half of one language.

    Attributes:
        rows: Assessments.
        right: Read as labelled, ``undetermined`` included.
        opposite: Harmful read as harmless, or the reverse.
        overread: Undetermined, but read as a verdict.
        unread: A verdict, but read as undetermined.
    """

    rows: int = 0
    right: int = 0
    opposite: int = 0
    overread: int = 0
    unread: int = 0

    def add(self, label: str, read: str) -> None:
        """Count one reading."""
        self.rows += 1
        if read == label:
            self.right += 1
        elif read == "undetermined":
            self.unread += 1
        elif label == "undetermined":
            self.overread += 1
        else:
            self.opposite += 1


def gold_rows() -> list[dict[str, Any]]:
    """All rows of the gold files, with their language."""
    return [{**row, "language": path.stem} for path in sorted(GOLD.glob("*.jsonl")) for _, row in read_jsonl(path)]


def measured() -> dict[tuple[str, str], Score]:
    """The scores by language and half; the language ``all`` sums them up."""
    scores: dict[tuple[str, str], Score] = defaultdict(Score)
    for row in gold_rows():
        for language in (row["language"], "all"):
            scores[language, row["split"]].add(row["verdict"], read_verdict(row["text"]))
    return dict(scores)


def table(scores: dict[tuple[str, str], Score]) -> str:
    """A Markdown table, one line per language."""
    lines = [
        "| language | open: right | held-out: right | opposite | read, but open | not read |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for language in sorted({one for one, _ in scores}, key=lambda one: (one == "all", one)):
        first, held = scores[language, "open"], scores[language, "held-out"]
        lines.append(
            f"| {language} | {first.right} of {first.rows} | {held.right} of {held.rows} "
            f"| {held.opposite} | {held.overread} | {held.unread} |"
        )
    return "\n".join(lines)


def main() -> None:
    if "--errors" in sys.argv:
        for row in gold_rows():
            if row["split"] == "open" and (read := read_verdict(row["text"])) != row["verdict"]:
                print(f"{row['id']} {row['kind']}: {row['verdict']}, read as {read}: {row['text']}")
        return
    RESULTS.write_text(
        HEAD + table(measured()) + "\n",
        encoding="utf-8",
    )
    print(table(measured()))


if __name__ == "__main__":
    main()
