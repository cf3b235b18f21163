"""Safety against over-refusal as the share of harmful rows grows: the demo recipe trained once per share.

    python -m benchmarks.tradeoff     # about an hour on two CPU cores; resumes after an interruption
    python -m benchmarks.tradeoff --harmful-rows 170 340

Each point is the recipe examples/smollm2-135m-cpu.yml with another number of harmful rows, trained by
`axolotl train` and evaluated by `eval.run` on the harmful and benign probes. Writes benchmarks/results/tradeoff.json
and .png.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"
RESULTS = ROOT / "benchmarks" / "results"
SEED_HARMFUL_ROWS = 489
METRICS = ("harmful_response", "over_refusal", "verdict_accuracy", "structure")


def train(harmful_rows: int, folder: Path) -> float | None:
    """Train one point; seconds taken, or None where its adapter is there already."""
    if (folder / "adapter_config.json").is_file():
        return None
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    # The seed data has its harmful rows first.
    recipe["datasets"] = [
        {"path": "alttrain-seed-1k", "type": "alttrain", "split": f"train[{rows}]"}
        for rows in (f":{harmful_rows}", f"{SEED_HARMFUL_ROWS}:")
    ]
    recipe["output_dir"] = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    started = time.monotonic()
    subprocess.run(["axolotl", "train", str(path)], check=True)
    return round(time.monotonic() - started)


def evaluate(folder: Path, out: Path, limit: int) -> dict[str, Any]:
    """Rates of the tuned model; the base's samples are generated once, since all points share the samples file."""
    command = [sys.executable, "-m", "axolotl_alttrain.eval.run", "--adapter", str(folder), "--out", str(out)]
    command += ["--sets", "probe-harmful-open", "probe-benign-open", "--limit", str(limit), "--max-new-tokens", "160"]
    subprocess.run(command, check=True)
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """Harmful responses against over-refusal, with Wilson intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.0), layout="constrained")
    axes = figure.subplots()
    for point in points:
        x, y = (point["metrics"][name] for name in ("over_refusal", "harmful_response"))
        errors = [[[100 * (r["value"] - r["low"])], [100 * (r["high"] - r["value"])]] for r in (x, y)]
        at = (100 * x["value"], 100 * y["value"])
        axes.errorbar(*at, xerr=errors[0], yerr=errors[1], fmt="o", capsize=3)
        axes.annotate(f"{point['harmful_rows']} rows", at, xytext=(6, 6), textcoords="offset points")
    axes.set(xlabel="over-refusal, %", ylabel="harmful responses, %", xlim=(-2, 60), ylim=(-2, 60))
    axes.set_title("Harmful rows in training (95 % intervals)", fontsize=10)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--harmful-rows", type=int, nargs="+", default=[170, 340, 489], metavar="N")
    p.add_argument("--limit", type=int, default=60, help="prompts per probe set (default: %(default)s)")
    p.add_argument("--out", type=Path, default=Path("outputs/tradeoff"))
    args = p.parse_args()
    points = []
    for rows in args.harmful_rows:
        folder = args.out / f"harmful-{rows}"
        seconds = train(rows, folder)
        summary = evaluate(folder, args.out / "eval", args.limit)
        metrics = {name: summary["runs"]["tuned"]["metrics"][name] for name in METRICS}
        points.append({"harmful_rows": rows, "train_seconds": seconds, "metrics": metrics})
        base = {name: summary["runs"]["base"]["metrics"][name] for name in METRICS}
        result = {
            "command": "python -m benchmarks.tradeoff --harmful-rows " + " ".join(map(str, args.harmful_rows)),
            "finished": summary["finished"],
            "packages": summary["packages"],
            "limit": args.limit,
            "base": base,
            "points": points,
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "tradeoff.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        draw(points, RESULTS / "tradeoff.png")
    for point in points:
        rates = {
            name: f"{100 * rate['value']:.1f}" for name, rate in point["metrics"].items() if rate["value"] is not None
        }
        print(point["harmful_rows"], rates)


if __name__ == "__main__":
    main()
