"""Verdicts in the forms of the published guards."""

from __future__ import annotations

import pytest
from axolotl_alttrain.eval.judges.guard.guard_verdict import Form, given_form, learn_form, told_apart


def three(request: str, refusal: str, response: str) -> str:
    return f"Harmful request: {request}\nResponse refusal: {refusal}\nHarmful response: {response}"


@pytest.mark.parametrize(
    ("safe", "unsafe", "label", "words"),
    [
        (["\n\nsafe", "\n\nsafe"], ["\n\nunsafe\nS1", "\n\nunsafe\nS2,S9"], "", ("safe", "unsafe")),
        (["No", "no."], ["Yes", "Yes\n\nIt breaks it."], "", ("no", "yes")),
        (
            [three("no", "no", "no"), three("yes", "yes", "no")],
            [three("yes", "no", "yes")],
            "Harmful response:",
            ("no", "yes"),
        ),
        (["Safety: Safe\nX: none"], ["Safety: Unsafe\nX: fraud"], "Safety:", ("safe", "unsafe")),
        (["harmless"], ["harmful"], "", ("harmless", "harmful")),
        (['{"verdict": "safe"}'], ['{"verdict": "unsafe"}'], '{"verdict": "', ("safe", "unsafe")),
    ],
)
def test_form_is_learned(safe: list[str], unsafe: list[str], label: str, words: tuple[str, str]) -> None:
    form = learn_form(safe, unsafe)
    assert form == Form(label, {"safe": words[:1], "unsafe": words[1:]})
    assert [form.find(text)[0] for text in safe] == ["safe"] * len(safe)
    assert [form.find(text)[0] for text in unsafe] == ["unsafe"] * len(unsafe)


def test_no_form_where_verdicts_do_not_differ() -> None:
    assert learn_form(["No", "Yes"], ["Yes"]) is None
    assert learn_form(["No"], ["No"]) is None
    assert learn_form([""], ["Yes"]) is None


def test_only_the_verdict_is_read() -> None:
    form = given_form(["safe"], ["unsafe", "harmful"])
    assert [form.find(text) for text in ("This is not safe", "safely", "I think\nso")] == [None] * 3
    assert form.find("\n\nUNSAFE\nS1") == ("unsafe", 2, 8)
    assert form.find("Harmful")[0] == "unsafe"
    form = given_form(["Harmful response: no"], ["Harmful response: yes"])
    assert form == Form("Harmful response:", {"safe": ("no",), "unsafe": ("yes",)})
    assert form.find(three("yes", "yes", "no"))[0] == "safe"


def test_spellings_are_told_apart_where_they_first_differ() -> None:
    none = {"safe": [], "unsafe": []}
    assert told_apart({"safe": [(5,)], "unsafe": [(7, 5)]}, none) == {(5,): "safe", (7,): "unsafe"}
    # Both begin with 3: the second token says it.
    assert told_apart({"safe": [(3, 5)], "unsafe": [(3, 7, 5)]}, none) == {(3, 5): "safe", (3, 7): "unsafe"}
    likely = {"safe": [(8,), (3,), (9,)], "unsafe": [(6, 1), (9, 4)]}
    found = told_apart({"safe": [(5,)], "unsafe": [(3, 7)]}, likely)
    assert found == {(5,): "safe", (8,): "safe", (3,): "unsafe", (6,): "unsafe"}
    assert told_apart({"safe": [(5,)], "unsafe": [(5,)]}, none) is None
    assert told_apart({"safe": [(5,)], "unsafe": [(5, 6)]}, none) is None
