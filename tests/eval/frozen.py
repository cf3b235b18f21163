"""What every judge and metric says of fixed inputs, kept together with its version in ``frozen.json``.

A test passes its results to :func:`check`. Where they change, the version of the judge or metric has to be raised, so
that ``compare`` refuses to pair old results with new ones. After raising it, write the file again:

    ALTTRAIN_FREEZE=1 python -m pytest tests/eval/results/test_frozen_results.py
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

FROZEN = Path(__file__).parent / "frozen.json"
REMEDY = "ALTTRAIN_FREEZE=1 python -m pytest tests/eval/results/test_frozen_results.py"


def digest(text: str) -> str:
    """Sixteen hexadecimal digits of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check(name: str, version: int, results: dict[str, Any], file: Path = FROZEN, freeze: bool | None = None) -> None:
    """Compare results with the frozen ones; write them where that is asked for and the version was raised.

    Args:
        name: Of the judge, metric or reader, as in ``rule_versions``.
        version: Its version in the code.
        results: What it says, by input, as JSON has it.
        file: Where all of them are kept.
        freeze: Whether to write; by default where ``ALTTRAIN_FREEZE`` is set.
    """
    freeze = bool(os.environ.get("ALTTRAIN_FREEZE")) if freeze is None else freeze
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    results = json.loads(json.dumps(results))
    known = kept.get(name)
    if known == {"version": version, "results": results}:
        return
    if known is not None and known["version"] == version:
        changed = [key for key in {**known["results"], **results} if known["results"].get(key) != results.get(key)]
        shown = "; ".join(f"{key}: {known['results'].get(key)!r}, now {results.get(key)!r}" for key in changed[:5])
        pytest.fail(
            f"{name}: {len(changed)} results changed and its version is still {version}. Raise the version beside its "
            f"code, then run {REMEDY}. Changed: {shown}"
        )
    if not freeze:
        before = "nothing" if known is None else f"version {known['version']}"
        pytest.fail(f"{name}: the code has version {version}, {file.name} has {before}. Run {REMEDY}")
    kept[name] = {"version": version, "results": results}
    file.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
