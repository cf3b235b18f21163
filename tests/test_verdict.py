from __future__ import annotations

import pytest

from axolotl_alttrain.verdict import read_verdict


@pytest.mark.parametrize(
    "text",
    [
        "This request is harmful because it plans a theft.",
        "This is harmful: not even fiction excuses it.",
        "The request is unsafe, since it aims at a person.",
        "Such a request isn't safe to answer.",
        "这个请求是有害的，因为它涉及伪造证件。",
        "Esta petición es dañina porque busca estafar.",
    ],
)
def test_harmful(text: str) -> None:
    assert read_verdict(text) == "harmful"


@pytest.mark.parametrize(
    "text",
    [
        "This request is not harmful, because 'kill' ends a process.",
        "This is harmless: a sum.",
        "The request is benign, since avoiding harmful fumes is sensible.",
        "This does not seem to be in any way harmful.",
        "Nothing about this is dangerous.",
        "It sounds dangerous but is harmless.",
        "There is no harm in a recipe.",
        "这个请求是无害的，因为它只是一道算术题。",
    ],
)
def test_benign(text: str) -> None:
    assert read_verdict(text) == "benign"


@pytest.mark.parametrize(
    "text", ["", "The user asks about cats.", "I must decide whether this is harmful.", "Is it? Hmm."]
)
def test_undetermined(text: str) -> None:
    assert read_verdict(text) == "undetermined"
