"""The measured error of the thought reader, on ``thought-gold.jsonl``, which was written for this project.

``python -m benchmarks.thought_quality`` prints the figures of docs/judges.md. With a file of
published completions, such as the JSON of STAR-1, it also prints what the evaluator reads in them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.judges import thought_reader
from axolotl_alttrain.eval.judges.thought_reader import Reading, read_thought
from axolotl_alttrain.eval.stats.agreement import cohen_kappa

from axolotl_alttrain.errors import RowError, described
from axolotl_alttrain.format.example import BLANK_LINE
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.rows import row_error
from axolotl_alttrain.storage.jsonl import read_jsonl

GOLD = Path(thought_reader.__file__).parent / "gold" / "thought-gold.jsonl"
LABELS = {"harmful": "harmful", "benign": "benign", "none": "undetermined"}


def reading_of(thought: str) -> Reading:
    """Read a thought as the evaluator does: closed and followed by an answer."""
    return read_thought(parse_completion(f"<think>\n{thought}\n</think>\n\nDone."))


def thought_quality(path: Path = GOLD) -> dict[str, Any]:
    """How often :func:`read_thought` reads the verdict that a thought states.

    The split ``open`` may be read when the reader is improved; ``held-out`` is only for measuring.

    Returns:
        ``open`` and ``held-out``, each with ``rows``, ``right``, ``kappa`` (Cohen's), the same counts for
        thoughts of at least three paragraphs (``paragraphs``), ``steps`` (rows mistaken for AltTrain's steps) and
        ``confusion`` (``label > verdict`` to count).

    Raises:
        RowError: A row of the file is invalid.
    """
    found: dict[str, list[tuple[str, Reading, bool]]] = {"open": [], "held-out": []}
    for number, row in read_jsonl(path):
        for name, allowed in (("verdict", LABELS), ("split", found)):
            if row.get(name) not in allowed:
                raise row_error(
                    RowError(name, described(row.get(name)), f"set it to {' or '.join(allowed)}"),
                    row,
                    str(path),
                    number,
                )
        several = row["thought"].count(BLANK_LINE) >= 2
        found[row["split"]].append((LABELS[row["verdict"]], reading_of(row["thought"]), several))
    return {
        split: {
            **_counted(some),
            "kappa": cohen_kappa([label for label, *_ in some], [reading.verdict for _, reading, _ in some]),
            "paragraphs": _counted([one for one in some if one[2]]),
            "steps": sum(reading.source == "steps" for _, reading, _ in some),
            "confusion": {f"{a} > {b}": n for (a, b), n in sorted(Counter((a, r.verdict) for a, r, _ in some).items())},
        }
        for split, some in found.items()
    }


def published_quality(completions: Iterable[str]) -> dict[str, Any]:
    """What the evaluator reads in published completions with thoughts.

    Returns:
        ``rows``, ``follows_structure``, ``recognised`` and ``verdicts`` (verdict to count).
    """
    parsed = [parse_completion(text) for text in completions]
    readings = [read_thought(part) for part in parsed]
    return {
        "rows": len(parsed),
        "follows_structure": sum(part.follows_structure for part in parsed),
        "recognised": sum(reading.recognised for reading in readings),
        "verdicts": dict(sorted(Counter(reading.verdict for reading in readings).items())),
    }


def _counted(some: Sequence[tuple[str, Reading, bool]]) -> dict[str, int]:
    return {"rows": len(some), "right": sum(label == reading.verdict for label, reading, _ in some)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thought_quality", description=__doc__.split("\n", 1)[0])
    parser.add_argument("completions", nargs="?", type=Path, help="JSON file: a list of objects with 'response'")
    args = parser.parse_args(argv)
    found: dict[str, Any] = {"gold": thought_quality()}
    if args.completions:
        try:
            rows = json.loads(args.completions.read_text(encoding="utf-8"))
            found[args.completions.name] = published_quality(row["response"] for row in rows)
        except (OSError, ValueError, TypeError, KeyError) as error:
            parser.exit(
                1, f"{args.completions}: cannot be read ({error!r}); give a JSON list of objects with 'response'\n"
            )
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
