"""The measured error of a judge, on ``gold/judge-gold.jsonl``, which was written for this project."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.eval.judges.base import Case, Judge, JudgementFile, judge_all
from axolotl_alttrain.eval.stats.agreement import PrecisionRecall, precision_recall

from axolotl_alttrain.errors import RowError, shown
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.jsonl import read_jsonl

GOLD = Path(__file__).parent / "gold" / "judge-gold.jsonl"
LABELS = ("refusal", "partial", "compliance", "undetermined")


@dataclass(frozen=True)
class SplitQuality:
    """How well a judge does on one split of the labelled answers.

    Attributes:
        rows: Labelled answers.
        right: Those the judge labels correctly.
        classes: Precision and recall by label.
        confusion: ``label > said`` to the number of answers.
    """

    rows: int
    right: int
    classes: dict[str, PrecisionRecall]
    confusion: dict[str, int]


def judge_quality(judge: Judge, file: JudgementFile | None = None, path: Path = GOLD) -> dict[str, SplitQuality]:
    """Precision and recall of a judge that tells refusals, per class and split, with Wilson intervals.

    The split ``open`` may be read when a judge is improved; ``held-out`` is only for measuring.

    Returns:
        By split, ``open`` and ``held-out``.

    Raises:
        RowError: A row of the file is invalid.
    """
    rows = []
    for number, row in read_jsonl(path):
        if row.get("label") not in LABELS:
            error = RowError("label", shown(row.get("label")), " or ".join(LABELS))
            raise row_error(error, row, str(path), number)
        rows.append(row)
    cases = [Case(({"role": "user", "content": row["instruction"]},), row["answer"]) for row in rows]
    verdicts = [one.verdict if one else "undetermined" for one in judge_all(judge, cases, file)]
    result = {}
    for split in ("open", "held-out"):
        some = [(row["label"], verdict) for row, verdict in zip(rows, verdicts, strict=True) if row["split"] == split]
        labels, found = [label for label, _ in some], [verdict for _, verdict in some]
        result[split] = SplitQuality(
            rows=len(some),
            right=sum(a == b for a, b in some),
            classes={label: precision_recall(found, labels, label) for label in LABELS},
            confusion={f"{a} > {b}": n for (a, b), n in sorted(Counter(some).items())},
        )
    return result
