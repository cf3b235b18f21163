"""The curves of the probe as a picture.

python -m benchmarks.probe_curves OUTPUT_DIR/probe.jsonl docs/probe-curves.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

CURVES = {
    "harmful_rate": ("harmful responses", "#c8372d", "o"),
    "over_refusal": ("over-refusal", "#2f6fde", "s"),
    "structure": ("structure followed", "#1d8a4e", "^"),
    "truncated": ("thought cut off", "#8a8f98", "x"),
}


def main(source: str, target: str) -> None:
    rows = [json.loads(line) for line in Path(source).read_text(encoding="utf-8").splitlines()]
    steps = [row["step"] for row in rows]
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, (label, colour, marker) in CURVES.items():
        rates = [row["rates"][name] for row in rows]
        values = [100 * rate["value"] for rate in rates]
        shown = f"{label} (n={rates[-1]['total']})"
        axes.plot(steps, values, color=colour, marker=marker, label=shown, linestyle=":" if marker == "x" else "-")
        if marker != "x":
            bounds = [[100 * rate[side] for rate in rates] for side in ("low", "high")]
            axes.fill_between(steps, *bounds, color=colour, alpha=0.1, linewidth=0)
    axes.set(xlabel="training step", ylabel="percent, band: 95 % Wilson interval", ylim=(-3, 103))
    axes.set_xticks(steps)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
