"""The results of the trainings on a GPU: runs on the same card are joined, and shown as one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .setups import AUTHORS, FULL, SETUPS


def measured_before(file: Path, now: dict[str, Any]) -> list[dict[str, Any]]:
    """The recipes in a results file, if they were measured on the same card with the same packages and steps."""
    if not file.is_file():
        return []
    before = json.loads(file.read_text(encoding="utf-8"))
    same = all(before.get(key) == now[key] for key in ("gpu", "versions", "steps"))
    return before["recipes"] if same else []


def add(recipes: list[dict[str, Any]], measured: dict[str, Any]) -> None:
    """Add a recipe to the list; set-ups of the same recipe join those that are there, in their usual order."""
    for one in recipes:
        if one["recipe"] == measured["recipe"]:
            setups = one["setups"] | measured["setups"]
            one["setups"] = {name: setups[name] for name in SETUPS if name in setups}
            return
    recipes.append(measured)


def markdown(results: dict[str, Any]) -> str:
    """The results as a table; what was not measured says so."""
    if not results.get("recipes"):
        return "Not yet measured: `python -m benchmarks.train_gpu` needs one CUDA GPU.\n"
    text = f"{results['gpu']}, {results['date']}, {', '.join(f'{k} {v}' for k, v in results['versions'].items())}; "
    text += f"bfloat16 matrix product {results['matrix_tflops']:.0f} TFLOPS; {results['steps']} steps each.\n\n"
    text += "| recipe | capped at, GiB | set-up | peak, GiB | estimated "
    text += "| rows/s | authors = 1 | tokens/s | matrix rate |\n"
    text += "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    for one in results["recipes"]:
        base = one["setups"].get(AUTHORS, {}).get("rows_per_second")
        for setup, m in one["setups"].items():
            row = f"| {one['recipe']} | {one['capped_gib']} | {setup} | "
            if "failed" in m:
                text += f"{row}{m['failed']} | | | | | |\n"
                continue
            ratio = f"{m['rows_per_second'] / base:.2f}" if base and setup != FULL else ""
            share = f"{100 * m['share_of_matrix_rate']:.0f} %" if "share_of_matrix_rate" in m else ""
            peak = f"{m['peak_gib']:.1f}" if m["peak_gib"] else "-"
            text += f"{row}{peak} | {m['estimated_gib']:.1f} | {m['rows_per_second']:.1f} | {ratio} | "
            text += f"{m['tokens_per_second']:.0f} | {share} |\n"
    return text
