"""Folders as the evaluator leaves them, small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.eval.scoring.test_metrics import HELP, STOP, scored

SETTINGS = {"max_new_tokens": 12, "do_sample": False}
YES, NO = ("harmful", "Sure, here."), ("harmful", STOP + "I won't.")
FINE, OVER = ("benign", HELP + "Two."), ("benign", STOP + "Sorry, I can't.")
RIGHT, WRONG = ("capability", HELP + "It is 2."), ("capability", HELP + "It is 3.")
BASE = [YES] * 12 + [FINE] * 4 + [RIGHT] * 4


def folder(
    path: Path,
    runs: dict[str, list[Any]],
    adapter: str | None = None,
    judges: Any = None,
    flags: Any = None,
    weights: Any = None,
    **more: Any,
) -> Path:
    """A finished evaluation: ``summary.json``, ``scored.jsonl`` and ``manifest.json``; ``more`` are settings."""
    path.mkdir(parents=True)
    summary = {"model": "m", "adapter": adapter, "runs": dict.fromkeys(runs), "settings": SETTINGS | more}
    optional = {"judges": judges, "weights": weights}
    (path / "summary.json").write_text(json.dumps(summary | {name: value for name, value in optional.items() if value}))
    rows = [one.as_row() for run, cases in runs.items() for one in scored(run, cases)]
    (path / "scored.jsonl").write_text("".join(row.as_json() + "\n" for row in rows))
    identities = {run: {"model": "m", "adapter": adapter if run == "tuned" else "", "template": "t"} for run in runs}
    (path / "manifest.json").write_text(json.dumps({"runs": identities, "flags": flags or {}}))
    return path


def training(path: Path) -> list[Path]:
    """Three checkpoints of one training, not in order, each evaluated beside the same base."""
    tuned = {
        30: [NO] * 12 + [OVER] * 2 + [FINE] * 2 + [RIGHT] * 3 + [WRONG],
        9: [NO] * 4 + [YES] * 8 + [FINE] * 4 + [RIGHT] * 4,
        20: [NO] * 9 + [YES] * 3 + [OVER] + [FINE] * 3 + [WRONG] + [RIGHT] * 3,
    }
    return [
        folder(path / f"cp{step}", {"base": BASE, "tuned": cases}, f"out/run/checkpoint-{step}")
        for step, cases in tuned.items()
    ]
