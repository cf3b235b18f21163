"""What the probe costs a training: the demo recipe without and with it, in turn, several times in one run.

    python -m benchmarks.probe_cost                     # 3 times 30 steps each, probe_budget 0.1
    python -m benchmarks.probe_cost --steps 100 --prompts 12 --max-new-tokens 256

Wall times are the trainer's, of processes of their own, after a training of one step that does not count; which of the
two goes first changes each time. On a shared machine they differ by more than the probe takes, so their ranges stand
beside them. The share is the probes' own clock over the rest of the wall time, as ``probe_budget`` counts it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.storage.atomic import write_atomic

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
PACKAGES = ("axolotl", "torch", "transformers", "peft", "bitsandbytes")


def train(folder: Path, steps: int, options: dict[str, Any] | None) -> dict[str, Any]:
    """One training in a process of its own: its wall time in seconds and the lines of its probe.jsonl.

    A probe given up as too long stands in no line; ``given_up`` is the seconds that it had, or None.
    """
    config = yaml.safe_load((ROOT / "examples" / "smollm2-135m-cpu.yml").read_text(encoding="utf-8"))
    config |= {"output_dir": str(folder / "out"), "max_steps": steps}
    if options:
        config["alttrain"] = options
    folder.mkdir()
    (folder / "recipe.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "axolotl.cli.train", "recipe.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AXOLOTL_DO_NOT_TRACK": "1"},
    )
    output = done.stdout + done.stderr
    found = re.search(r"'train_runtime': '?([\d.]+)", output)
    if done.returncode or not found:
        raise SystemExit(f"benchmarks.probe_cost: training failed:\n{output[-3000:]}")
    file = folder / "out" / "probe.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    given_up = re.search(r"the probe is off: one takes more than the (\d+) s", output)
    return {
        "seconds": float(found[1]),
        "probes": [json.loads(line) for line in lines],
        "given_up": float(given_up[1]) if given_up else None,
    }


def pair(without: dict[str, Any], probed: dict[str, Any]) -> dict[str, Any]:
    """What one training without and one with the probe say together; both as :func:`train` gives them."""
    spent = sum(row["seconds"] for row in probed["probes"]) + (probed["given_up"] or 0)
    return {
        "seconds_without": without["seconds"],
        "seconds_with": probed["seconds"],
        "probes": len(probed["probes"]),
        "given_up": int(probed["given_up"] is not None),
        "probe_seconds": round(spent, 3),
        "share": round(spent / (probed["seconds"] - spent), 4),
    }


def markdown(results: dict[str, Any]) -> str:
    """The results as a table."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    options = ", ".join(f"`{name}: {value}`" for name, value in results["options"].items())
    runs = results["runs"]
    due = -(-results["steps"] // results["options"]["probe_every"])
    text = (
        f"{results['date']}, {results['threads']} threads, {results['steps']} steps, {len(runs)} trainings without and "
    )
    text += f"{len(runs)} with the probe in turn; {options}; {versions}.\n\n"
    text += "| | median | least | most |\n| --- | ---: | ---: | ---: |\n"
    rows = [("training without the probe, s", "seconds_without", 1), ("training with it, s", "seconds_with", 1)]
    rows += [("the probes' own clock, s", "probe_seconds", 1), ("its share of the training, %", "share", 100)]
    for label, key, factor in rows:
        text += line(label, [factor * run[key] for run in runs], ".1f")
    text += line(f"probes run, of {due} due", [run["probes"] for run in runs], "g")
    return text + line("given up as too long, and off from there", [run["given_up"] for run in runs], "g")


def line(label: str, values: Sequence[float], form: str) -> str:
    """One row: median and range."""
    cells = (format(value, form) for value in (statistics.median(values), min(values), max(values)))
    return f"| {label} | {' | '.join(cells)} |\n"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--steps", type=int, default=30, help="default: %(default)s")
    p.add_argument("--repeats", type=int, default=3, help="trainings of each kind (default: %(default)s)")
    p.add_argument("--every", type=int, default=5, help="default: %(default)s")
    p.add_argument("--budget", type=float, default=0.1, help="default: %(default)s")
    p.add_argument("--prompts", type=int, default=2, help="default: %(default)s")
    p.add_argument("--max-new-tokens", type=int, default=32, help="default: %(default)s")
    p.add_argument("--out", type=Path, default=RESULTS, help="folder for probe_cost.json and .md")
    args = p.parse_args()
    if args.repeats < 1:
        p.error(f"--repeats: found {args.repeats}; allowed: 1 or more")
    options = {
        "probe_every": args.every,
        "probe_budget": args.budget,
        "probe_prompts": args.prompts,
        "probe_max_new_tokens": args.max_new_tokens,
    }
    ways = {"without": None, "with": options}
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        train(Path(scratch) / "first", 1, None)  # reads model and libraries into the machine's cache
        for number in range(1, args.repeats + 1):
            done = {}
            for way in ways if number % 2 else reversed(ways):
                done[way] = train(Path(scratch) / f"{way}-{number}", args.steps, ways[way])
            runs.append(pair(done["without"], done["with"]))
            print(f"{number} of {args.repeats}: {runs[-1]}", flush=True)
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "threads": len(os.sched_getaffinity(0)),
        "steps": args.steps,
        "options": options,
        "versions": {name: version(name) for name in PACKAGES},
        "runs": runs,
    }
    write_atomic(args.out / "probe_cost.json", json.dumps(results, indent=2) + "\n")
    write_atomic(args.out / "probe_cost.md", markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
