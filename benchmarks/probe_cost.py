"""What the probe costs a training: the demo recipe with and without it, in one run.

    python -m benchmarks.probe_cost                     # 30 steps each, probe_budget 0.1
    python -m benchmarks.probe_cost --steps 100 --prompts 12 --max-new-tokens 256

Compares the wall times that the trainer gives; the share is the probes' own clock.
Writes benchmarks/results/probe_cost.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def train(folder: Path, steps: int, options: dict[str, Any] | None) -> dict[str, Any]:
    """One training in a process of its own: its seconds, its adapter and the lines of its probe.jsonl."""
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
    return {
        "seconds": float(found[1]),
        "probes": [json.loads(line) for line in lines],
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--every", type=int, default=5)
    p.add_argument("--budget", type=float, default=0.1)
    p.add_argument("--prompts", type=int, default=2)
    p.add_argument("--max-new-tokens", type=int, default=32)
    args = p.parse_args()
    options = {
        "probe_every": args.every,
        "probe_budget": args.budget,
        "probe_prompts": args.prompts,
        "probe_max_new_tokens": args.max_new_tokens,
    }
    with tempfile.TemporaryDirectory() as scratch:
        plain = train(Path(scratch) / "plain", args.steps, None)
        probed = train(Path(scratch) / "probed", args.steps, options)
    spent = sum(row["seconds"] for row in probed["probes"])
    report = {
        "cpus": os.cpu_count(),
        "steps": args.steps,
        "options": options,
        "seconds_without": plain["seconds"],
        "seconds_with": probed["seconds"],
        "probes": len(probed["probes"]),
        "probe_seconds": round(spent, 3),
        "share": round(spent / (probed["seconds"] - spent), 4),
    }
    table = (
        "| steps | training without, s | with, s | probes run | due | their time, s | share of training | "
        "probe_budget |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        f"| {args.steps} | {plain['seconds']:.1f} | {probed['seconds']:.1f} | {report['probes']} "
        f"| {-(-args.steps // args.every)} | {spent:.1f} | {100 * report['share']:.1f} % | {100 * args.budget:g} % |\n"
    )
    (RESULTS / "probe_cost.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "probe_cost.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
