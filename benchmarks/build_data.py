"""How the builder grows: rows a second and peak memory over the number of traces.

    python -m benchmarks.build_data ../shared/data/star1.json                  # 10,000, 30,000 and 100,000 traces
    python -m benchmarks.build_data rows.json --rows 1000 5000

The file is STAR-1 (https://huggingface.co/datasets/UCSC-VLAA/STAR-1) or any JSON list with `question`, `response` (the
thought in think tags) and `category`. Beyond its own rows, queries are joined from halves of two questions, so that all
differ and many resemble one another: real work for the search of near-duplicates. Everything is switched on but a paid
assessor: quality, near-duplicates, overlap with the probes, stratified selection of every second trace, one variant.
Every size has a process of its own, whose peak memory is the kernel's figure. Writes benchmarks/results/build_data.json
and .md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def write_traces(source: Path, rows: int, path: Path) -> None:
    """So many traces of the file's schema, each query once; written row by row."""
    known = json.loads(source.read_text(encoding="utf-8"))
    halves = [row["question"].split() for row in known]
    with path.open("w", encoding="utf-8") as out:
        for number in range(rows):
            first, second = number % len(known), (number + number // len(known)) % len(known)
            row, question = known[first], known[first]["question"]
            if first != second:
                one, other = halves[first], halves[second]
                question = " ".join([*one[: max(1, len(one) // 2)], *other[len(other) // 2 :]]) + f" ({number})"
            made = {"id": str(number), "question": question, "response": row["response"], "category": row["category"]}
            out.write(json.dumps(made, ensure_ascii=False) + "\n")


def measure(traces: Path, rows: int, folder: Path) -> dict[str, Any]:
    """Build from them, in this process."""
    from axolotl_alttrain.data.build import build
    from axolotl_alttrain.data.build_config import BuildConfig

    config = BuildConfig.model_validate(
        {
            "name": "benchmark",
            "sources": [{"preset": "star1", "path": str(traces)}],
            "harmful": rows // 2,
            "benign": 0,
            "assessor": {"kind": "offline"},
            "variants": [{"name": "without-ha", "omit": ["harmfulness_assessment"]}],
        }
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    report = build(config, folder)
    seconds = time.perf_counter() - start
    return {
        "rows": rows,
        "built": report.rows,
        "left_out": report.rejected,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "start_mib": before / 1024,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def markdown(results: list[dict[str, Any]]) -> str:
    """The results as a table."""
    first = results[0]
    text = "| traces | built | left out | seconds | traces/s | time a trace, first = 1 | peak memory, MiB |\n"
    text += "| ---: | ---: | --- | ---: | ---: | ---: | ---: |\n"
    for one in results:
        left = ", ".join(f"{reason} {number:,}" for reason, number in one["left_out"].items()) or "none"
        relative = one["seconds"] / one["rows"] / (first["seconds"] / first["rows"])
        text += f"| {one['rows']:,} | {one['built']:,} | {left} | {one['seconds']:.0f} | {one['rows_per_second']:.0f} "
        text += f"| {relative:.2f} | {one['peak_mib']:.0f} |\n"
    return text + f"\nA process that has imported everything and built nothing: {first['start_mib']:.0f} MiB.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="STAR-1's JSON file")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measure(args.source, args.rows[0], args.worker)))
        return
    results = []
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as scratch:
            traces = Path(scratch) / "traces.jsonl"
            write_traces(args.source, rows, traces)
            command = [sys.executable, "-m", "benchmarks.build_data", str(traces), "--rows", str(rows)]
            done = subprocess.run([*command, "--worker", str(Path(scratch) / "built")], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"benchmarks.build_data: {rows} rows failed:\n{done.stderr[-2000:]}")
        results.append(json.loads(done.stdout.splitlines()[-1]))
        print(markdown(results), flush=True)
    (RESULTS / "build_data.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "build_data.md").write_text(markdown(results), encoding="utf-8")


if __name__ == "__main__":
    main()
