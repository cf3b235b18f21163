"""Figures that the pages state about the package's own data."""

from __future__ import annotations

import json
import re

from tests.conftest import PROBES, ROOT

SEED = ROOT / "examples" / "data" / "alttrain-seed.jsonl"


def test_how_much_harm_ships() -> None:
    page = (ROOT / "docs" / "responsible-use.md").read_text(encoding="utf-8")
    found = re.search(r"([\d,]+) harmful rows in the seed data, (\d+) harmful prompts in the\s+probes", page)
    assert found is not None
    rows = [json.loads(line)["label"] for line in SEED.read_text(encoding="utf-8").splitlines()]
    files = [*PROBES.glob("probe-harmful*.jsonl"), *PROBES.glob("probe-contrast*.jsonl")]
    prompts = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert found.groups() == (f"{rows.count('harmful'):,}", str(prompts))
