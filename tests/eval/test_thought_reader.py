from __future__ import annotations

import json

import pytest

from axolotl_alttrain.structure import parse_completion
from eval.thought_reader import read_free, read_thought

from ..conftest import PROBES, TEMPLATES


def test_on_the_labelled_thoughts() -> None:
    rows = [json.loads(line) for line in (PROBES / "thought-gold.jsonl").read_text("utf-8").splitlines()]
    right = {"open": 0, "held-out": 0}
    for row in rows:
        right[row["split"]] += read_free(row["thought"]).verdict == row["verdict"].replace("none", "undetermined")
    assert len(rows) == 82
    assert right == {"open": 40, "held-out": 29}  # the numbers in eval/README.md


def test_a_change_of_mind() -> None:
    text = "Fine words first. This is harmful and illegal. Wait, no: it is a harmless joke."
    found = read_free(text)
    assert (found.verdict, found.recognised, found.changed) == ("benign", True, True)
    assert found.position == pytest.approx(text.index(" This is") / len(text))
    assert read_free("") == read_free("Two plus two.")


def test_steps_are_read_by_position() -> None:
    text = "They ask to forge.\n\nThis is harmful: fraud.\n\nI stop here."
    found = read_thought(parse_completion(f"<think>\n{text}\n</think>\n\nNo."))
    assert (found.verdict, found.source) == ("harmful", "steps")
    assert found.position == pytest.approx(text.index("This") / len(text))


def test_published_thoughts_on_harmful_requests() -> None:
    path = TEMPLATES.parent / "data" / "star1.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    thoughts = [row["response"].split("</think>")[0] for row in json.loads(path.read_text(encoding="utf-8"))]
    assert sum(read_free(thought).recognised for thought in thoughts) == 937
