"""Write ``fit``'s estimates beside published measurements to ``results/published_memory.md`` and ``.json``."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from axolotl_alttrain.cli.recipe import quiet
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.published.comparison import compare
from benchmarks.published.points import read_published
from benchmarks.published.report import halves, markdown, row_values

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for published_memory.md and .json")
    output = parser.parse_args().output
    published = read_published()
    with quiet():
        rows = compare(published)
    values = {
        "errors": {name: asdict(found) for name, found in halves(rows).items()},
        "points": [row_values(row) for row in rows],
    }
    write_atomic(output / "published_memory.json", json.dumps(values, indent=2) + "\n")
    text = markdown(published, rows)
    write_atomic(output / "published_memory.md", text)
    print(text)


if __name__ == "__main__":
    main()
