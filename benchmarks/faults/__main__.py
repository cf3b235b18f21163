"""Commands that are killed, asked to end or interrupted at random points, and run again until they finish.

    python -m benchmarks.faults                        # 50 points of each signal for each command
    python -m benchmarks.faults --points 3 --tasks build report

Each command runs against a server in a model's place, or with a tiny random model, and writes into a folder. At a
random moment it gets SIGKILL, SIGTERM or SIGINT: half of the points are moments in time, half are the n-th time that it
opens, renames or removes a file. It is then started again in the same folder, where the next point awaits it, until it
finishes. After every point: files that are written whole are absent or hold what an undisturbed run writes, and files
that are appended to have kept every finished line. After the end: every file holds the same bytes as after an
undisturbed run (lines of appended files in any order), and no temporary file is left. The clock stands still, so dates
are the same. Processes are forked after all imports, so a point takes no start. Writes benchmarks/results/faults.json
and .md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch

from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.command_shown import shown_command
from benchmarks.faults.points import SIGNALS, Found, try_points
from benchmarks.faults.tasks import TASKS, Task, served

RESULTS = Path(__file__).parents[1] / "results"


@contextmanager
def prepared(names: Sequence[str], folder: Path) -> Iterator[list[Task]]:
    """The named commands with the servers and models that they need, until the block ends."""
    with served(folder) as place:
        yield [TASKS[name](place) for name in names]


def table(found: dict[str, Found]) -> str:
    """The results as Markdown."""
    names = [one.name for one in SIGNALS]
    lines = [f"| command | {' | '.join(names)} | finished with the same bytes | faults |"]
    lines.append(f"| --- | {'--- | ' * len(names)}--- | --- |")
    for name, one in found.items():
        counts = " | ".join(str(one.points[signal]) for signal in names)
        lines.append(f"| {name} | {counts} | {one.finished if not one.faults else 'no'} | {len(one.faults)} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Try the points and write the results; the exit code is 1 if anything was damaged, lost or different."""
    argv = sys.argv[1:] if argv is None else argv
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--points", type=int, default=50, help="of each signal for each command (default: %(default)s)")
    p.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), help="(default: all)")
    p.add_argument("--seed", type=int, default=1995, help="(default: %(default)s)")
    p.add_argument("--results", type=Path, default=RESULTS, help="where the results go")
    args = p.parse_args(argv)
    torch.set_num_threads(1)  # a process that has used more cannot be forked: its children would wait for ever
    found: dict[str, Found] = {}
    about = {"command": shown_command("faults", argv), "date": datetime.now(UTC).date().isoformat(), "seed": args.seed}
    with tempfile.TemporaryDirectory() as scratch, prepared(args.tasks, Path(scratch)) as tasks:
        for task in tasks:
            found[task.name] = one = try_points(task, Path(scratch) / task.name, args.points, args.seed)
            print(f"{task.name}: {dict(one.points)}, finished {one.finished}, faults {one.faults[:5]}", flush=True)
            rows = {name: {**vars(one), "points": dict(one.points)} for name, one in found.items()}
            write_atomic(args.results / "faults.json", json.dumps({**about, "tasks": rows}, indent=2) + "\n")
            write_atomic(args.results / "faults.md", f"`{about['command']}`, {about['date']}:\n\n{table(found)}")
    return int(any(one.faults for one in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
