from __future__ import annotations

import json

import pytest
from axolotl_alttrain.eval.answers.equal_answers import equal_answers
from axolotl_alttrain.eval.prompts.lm_tasks import utils

from ...templates import TEMPLATES


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        (r"\text{Evelyn}", r"\boxed{Evelyn}"),
        (r"10,\!080", r"\boxed{10080}"),
        ("204", r"\boxed 204"),
        ("204", r"\boxed{\displaystyle 204}"),
        ("3", r"\boxed{4} wait, no: \boxed{3}"),
        (r"\frac{1}{2}", r"So it is $\boxed{0.5}$."),
        ("(3,4)", r"\boxed{(3, 4)}"),
        (r"90^\circ", r"\boxed{90}"),
        ("5", r"\boxed{x=5}"),
        ("42", r"\boxed{42\text{ cm}}"),
        ("2x+1", "The answer is $2x+1$"),
    ],
)
def test_equal(gold: str, text: str) -> None:
    assert equal_answers(gold, text)


@pytest.mark.parametrize(
    ("gold", "text"), [("42", "So I get 43"), ("7", r"\boxed{}"), ("3", r"\boxed{3} or rather \boxed{4}"), ("1", "")]
)
def test_not_equal(gold: str, text: str) -> None:
    assert not equal_answers(gold, text)


def test_competition_numbers() -> None:
    assert utils.number({"Answer": "073"}, [r"\boxed 73"]) == {"exact_match": 1.0}
    assert utils.number({"Answer": "73"}, ["The answer is 73."]) == {"exact_match": 1.0}
    assert utils.number({"Answer": "73"}, [r"\boxed{74}, and not 73"]) == {"exact_match": 0.0}


def test_on_public_cases() -> None:
    path = TEMPLATES.parent / "cases" / "texts" / "final_answers.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [equal_answers(row["gold"], row["answer"]) for row in rows] == [row["right"] for row in rows]
