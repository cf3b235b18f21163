"""The reader of verdicts on ``gold/``; ``python -m benchmarks.verdict_reader`` shows every error."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from axolotl_alttrain.format.verdict.language import languages
from axolotl_alttrain.format.verdict.reader import read_verdict
from benchmarks.verdict_reader import GOLD, gold_rows, measured

from ...templates import TEMPLATES


def test_every_language_has_gold_of_both_halves() -> None:
    rows = gold_rows()
    counts = Counter((row["language"], row["split"]) for row in rows)
    assert {language for language, _ in counts} == set(languages())
    assert set(counts.values()) == {17}
    assert len({row["text"] for row in rows}) == len(rows) == 408


def test_the_held_out_half_is_as_it_was_frozen() -> None:
    held = [row for row in gold_rows() if row["split"] == "held-out"]
    digest = hashlib.sha256(json.dumps([[r["id"], r["text"], r["verdict"]] for r in held]).encode()).hexdigest()
    assert digest[:16] == "ea2c6bcc3aa739ff"


@pytest.mark.parametrize("path", sorted(GOLD.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_open_half(path: Path) -> None:
    rows = [row for row in gold_rows() if row["language"] == path.stem and row["split"] == "open"]
    assert {row["id"]: read_verdict(row["text"]) for row in rows} == {row["id"]: row["verdict"] for row in rows}


@pytest.mark.parametrize("path", sorted(GOLD.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_held_out_half_has_hardly_a_wrong_reading(path: Path) -> None:
    found = measured()[path.stem, "held-out"]
    assert found.opposite <= 1
    assert found.right >= 14


def test_on_public_cases() -> None:
    path = TEMPLATES.parent / "cases" / "texts" / "verdicts.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [read_verdict(row["text"]) for row in rows] == [row["verdict"] for row in rows]
