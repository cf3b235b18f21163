from __future__ import annotations

import json
from pathlib import Path

import pytest

from axolotl_alttrain.errors import RowError
from benchmarks.thought_quality import main, published_quality, thought_quality
from tests.templates import TEMPLATES


def test_on_the_labelled_thoughts() -> None:
    found = thought_quality()  # the figures in docs/judges.md
    assert {split: (one["right"], one["rows"]) for split, one in found.items()} == {
        "open": (89, 92),
        "held-out": (50, 53),
    }
    assert {split: one["paragraphs"] for split, one in found.items()} == {
        "open": {"rows": 13, "right": 13},
        "held-out": {"rows": 12, "right": 10},
    }
    assert found["held-out"]["kappa"] == pytest.approx(0.9150641025641025)
    assert [one["steps"] for one in found.values()] == [0, 0]


def test_published_thoughts_on_harmful_requests() -> None:
    path = TEMPLATES.parent / "data" / "star1.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert published_quality(row["response"] for row in rows) == {
        "rows": 1000,
        "follows_structure": 0,
        "recognised": 973,
        "verdicts": {"benign": 74, "harmful": 910, "undetermined": 16},
    }


def test_trained_thoughts_are_read_by_their_steps() -> None:
    found = published_quality(["<think>\nA sum.\n\nThis is harmless: a sum.\n\n1 + 1\n</think>\n\n2"])
    assert found == {"rows": 1, "follows_structure": 1, "recognised": 0, "verdicts": {"benign": 1}}


def test_a_row_without_a_known_label_is_named(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text('{"id": "a", "thought": "Hm.", "verdict": "bad", "split": "open"}\n')
    with pytest.raises(RowError, match=r"gold\.jsonl.*field 'verdict'.*bad.*harmful or benign or none"):
        thought_quality(tmp_path / "gold.jsonl")


def test_a_file_of_another_form_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text('[{"answer": "Hi"}]')
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "other.json")])
    assert caught.value.code == 1
    assert (
        "cannot be read (KeyError('response')); give a JSON list of objects with 'response'" in capsys.readouterr().err
    )
